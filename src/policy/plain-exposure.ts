/** A first exposure: one connection for each Match block, and one that fits none. Replaced by the search. */

import { knownKeywords } from "../../grammar/keywords.ts";
import type { Config, Criterion, Directive } from "../config/config.ts";
import type { Answer, Decider, Exposure, LineUse } from "./answer.ts";
import { CAPABILITIES, type Capability, type Connection } from "./connection.ts";
import { type Effective, evaluate } from "./evaluate.ts";

const ALICE: Connection = {
  user: "alice",
  groups: ["alice"],
  host: "198.51.100.7",
  addr: "198.51.100.7",
  laddr: "192.0.2.1",
  lport: 22,
  rdomain: "",
  invalidUser: false,
};

export function exposure(config: Config): Exposure {
  const answers = new Map<string, Answer>();
  const samples = [
    { connection: ALICE, condition: "everybody" },
    ...config.matches.map((block) => ({
      connection: [...block.outer, block].flatMap((b) => b.criteria).reduce(satisfy, ALICE),
      condition: block.line.rest.text,
    })),
  ];
  for (const { connection, condition } of samples) {
    const result = evaluate(config, connection);
    if ("kind" in result) continue;
    for (const capability of CAPABILITIES) {
      const answer = answerFor(result as Effective, capability, connection, condition);
      const key = `${capability} ${answer.decidedBy.map((d) => d.directive?.order ?? d.value).join()}`;
      if (!answers.has(key)) answers.set(key, answer);
    }
  }
  return { answers: [...answers.values()], complete: true, limits: [], assumptions: [] };
}

function satisfy(connection: Connection, criterion: Criterion): Connection {
  switch (criterion.attribute) {
    case "user":
      return { ...connection, user: instance(criterion.items.find((i) => !i.negated)?.pattern) };
    case "group":
      return { ...connection, groups: [instance(criterion.items.find((i) => !i.negated)?.pattern)] };
    case "host":
      return { ...connection, host: instance(criterion.items.find((i) => !i.negated)?.pattern) };
    case "localport":
      return { ...connection, lport: criterion.port };
    case "address": {
      const item = criterion.items.find((i) => !i.negated);
      if (item?.kind !== "network") return connection;
      return { ...connection, addr: item.network.bytes.join(".") };
    }
    default:
      return connection;
  }
}

function instance(pattern: string | undefined): string {
  return (pattern ?? "x").replace("*", "alice").replaceAll("?", "x");
}

const KEYS: Record<Capability, readonly string[]> = {
  "tcp-local": ["allowtcpforwarding", "disableforwarding", "permitopen"],
  "tcp-remote": ["allowtcpforwarding", "disableforwarding", "permitlisten", "gatewayports"],
  "unix-local": ["allowtcpforwarding", "allowstreamlocalforwarding", "disableforwarding"],
  "unix-remote": ["allowtcpforwarding", "allowstreamlocalforwarding", "disableforwarding"],
  tun: ["permittunnel"],
  x11: ["x11forwarding", "disableforwarding", "x11uselocalhost"],
  agent: ["allowagentforwarding", "disableforwarding"],
};

function answerFor(e: Effective, capability: Capability, witness: Connection, condition: string): Answer {
  const of = (key: string): string => e.get(key)?.values[0] ?? "";
  const tcp = of("allowtcpforwarding");
  const unix = of("allowstreamlocalforwarding");
  const on = of("disableforwarding") !== "yes";
  const allowed = {
    "tcp-local": on && ["yes", "local"].includes(tcp) && of("permitopen") !== "none",
    "tcp-remote": on && ["yes", "remote"].includes(tcp) && of("permitlisten") !== "none",
    "unix-local":
      on && ["yes", "local"].includes(tcp) && ["yes", "local"].includes(unix) && of("permitopen") === "any",
    "unix-remote": on && ["yes", "remote"].includes(tcp) && ["yes", "remote"].includes(unix),
    tun: of("permittunnel") !== "no",
    x11: on && of("x11forwarding") === "yes",
    agent: on && of("allowagentforwarding") === "yes",
  }[capability];
  const destinations =
    capability === "tcp-local"
      ? of("permitopen") === "any"
        ? ["*:*"]
        : (e.get("permitopen")?.values ?? [])
      : [];
  const decidedBy = KEYS[capability].map((keyword): Decider => {
    const directive: Directive | null = e.get(keyword)?.decidedBy[0] ?? null;
    return { keyword, value: e.get(keyword)?.values.join(" ") ?? "", directive };
  });
  return {
    capability,
    allowed,
    unknownBecause: null,
    condition,
    destinations,
    listen:
      capability === "tcp-remote" ? { addresses: ["*:*"], bind: "loopback", privilegedPorts: "root" } : null,
    witness,
    decidedBy,
    login: "possible",
    loginBecause: "",
    needs: [],
  };
}

/** Lines behind one whose guards hold whenever theirs do; replaced by the search. */
export function lineUses(config: Config): LineUse[] {
  const names = new Map(knownKeywords(config.release).map((keyword) => [keyword.key, keyword]));
  const earlier = new Map<string, Directive[]>();
  const uses: LineUse[] = [];
  for (const directive of config.directives) {
    const sets = names.get(directive.keyword)?.sets;
    if (directive.values === null || (sets !== "first" && sets !== "first-line")) continue;
    const before = earlier.get(directive.keyword) ?? [];
    const shadowedBy = before.filter((other) => covers(other, directive)).slice(0, 1);
    if (shadowedBy.length > 0) uses.push({ directive, decides: false, witness: null, shadowedBy });
    earlier.set(directive.keyword, [...before, directive]);
  }
  return uses;
}

function covers(other: Directive, directive: Directive): boolean {
  if ((other.guards.length === 0) !== (directive.guards.length === 0)) return false;
  const texts = new Set(directive.guards.map((guard) => guard.line.rest.text));
  return other.guards.every((guard) => texts.has(guard.line.rest.text));
}
