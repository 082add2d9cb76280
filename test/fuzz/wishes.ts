/** Policy files drawn for a tree, and what their entries want of a connection. */
import type { Config } from "../../src/config/config.ts";
import type { Intent, IntentEntry } from "../../src/lint/intent.ts";
import { readPolicyFile } from "../../src/lint/policy-file.ts";
import type { Answer } from "../../src/policy/answer.ts";
import { CAPABILITIES, type Capability, type Connection } from "../../src/policy/connection.ts";
import { criterionHolds } from "../../src/policy/evaluate.ts";
import type { Grant } from "../../src/policy/grant.ts";
import type { Loss } from "../../src/policy/losses.ts";
import { makeSource, placeOf } from "../../src/source/source.ts";
import { GROUPS_OF } from "../sshd/accounts.ts";
import type { Sshd } from "../sshd/driver.ts";
import { givenItems, isCovered, isOpen, type Printed } from "./asking.ts";
import type { Random } from "./random.ts";

export function intentOf(allow: readonly IntentEntry[] | null, keep: readonly IntentEntry[]): Intent {
  return { path: "policy", profile: null, failOn: null, allowForwarding: null, rules: [], allow, keep };
}

/** All that the blocks of its lines hold: more connections than the answer, but none that is open otherwise. */
export function entryOf({ capability, destinations, listen, decidedBy }: Answer): IntentEntry {
  const criteria = decidedBy
    .flatMap(({ directive }) => directive?.guards ?? [])
    .flatMap((block) => block.criteria);
  const isNamed =
    destinations.length > 0 &&
    (capability === "tcp-local" || destinations.every((path) => /^[/*]/.test(path)));
  const grant: Grant = {
    criteria,
    capabilities: [capability],
    destinations: isNamed ? destinations : null,
    listen: listen?.addresses ?? null,
    bind: (listen?.bind ?? "loopback") === "loopback" ? "loopback" : "any",
  };
  return {
    grant,
    reason: "r",
    owner: null,
    until: null,
    place: placeOf(makeSource("policy", ""), { start: 0, end: 0 }),
  };
}

export function drawIntent(random: Random): Intent {
  const entry = (): Record<string, unknown> => drawEntry(random);
  const policy = {
    version: 1,
    ...(random.chance(80) ? { allow: random.some(0, 3, entry) } : {}),
    keep: random.some(0, 2, entry),
  };
  const intent = readPolicyFile("policy", JSON.stringify(policy), { rules: [], profiles: [] });
  if ("mistakes" in intent) throw new Error(intent.mistakes.join("\n"));
  return intent;
}

function drawEntry(random: Random): Record<string, unknown> {
  const user = random.pick(Object.keys(GROUPS_OF));
  const who = random.pick<Record<string, unknown>>([
    {},
    { users: user },
    { users: ["*", "!root"] },
    { users: ["*", `!${user}`], from: "*" },
    { groups: random.pick(["staff", "admins", "forwarders"]) },
    { groups: ["*", "!staff"] },
    { from: "10.0.0.0/8" },
    { from: ["2001:db8::/32", "192.168.*"] },
    { users: user, from: ["*", "!10.0.0.0/8"] },
    { "server-port": random.pick([22, 2222]) },
  ]);
  const capability = random.chance(30) ? ["all"] : random.some(1, 3, () => random.pick(CAPABILITIES));
  const has = (one: Capability): boolean => capability.includes("all") || capability.includes(one);
  return {
    ...who,
    capability,
    ...(has("tcp-local")
      ? random.pick([{}, { to: "any" }, { to: ["db.internal:22", "*:80"] }, { to: ["10.0.0.9:*"] }])
      : {}),
    ...(has("tcp-remote") ? random.pick([{}, { bind: "any" }, { listen: [8080, "localhost:22"] }]) : {}),
    reason: "r",
  };
}

export function means({ criteria }: Grant, connection: Connection, { release }: Config): boolean {
  return criteria.every((criterion) => criterionHolds(criterion, connection, release) === true);
}

/**
 * docs/policy-file.md: without a list everything; a port alone is one on any address; one list of destinations names
 * places of TCP and paths of sockets.
 */
export function wanted({ destinations, listen }: Grant, capability: Capability): readonly string[] {
  const isPath = (item: string): boolean => item === "*" || item.startsWith("/");
  if (capability === "tcp-local") return destinations?.filter((item) => !isPath(item)) ?? ["*:*"];
  if (capability === "tcp-remote")
    return (listen ?? ["*:*"]).map((item) => (item.includes(":") ? item : `*:${item}`));
  if (capability === "unix-local" || capability === "unix-remote")
    return destinations?.filter(isPath) ?? ["*"];
  return [""];
}

/** What sshd does not give of what the grant wants; null: nothing. */
export function lacks(
  { printed, sshd }: { readonly printed: Printed; readonly sshd: Sshd },
  { grant, capability }: Pick<Loss, "grant" | "capability">,
): string | null {
  const items = wanted(grant, capability);
  if (items.length === 0) return null;
  if (!isOpen(printed, capability, sshd)) return "closed";
  const given = givenItems(capability, printed);
  const missing = items.filter((item) => item !== "" && !isCovered(given, item));
  const isNarrow = capability === "tcp-remote" && grant.bind === "any" && !given.some(isBind);
  return missing.length > 0 || isNarrow
    ? `without ${missing.join(" ")}${isNarrow ? " other addresses" : ""}`
    : null;
}

/** A bind address beyond loopback, in words. */
export const isBind = (item: string): boolean => item.includes(" ");

/** What the grant wants, and the connection had and has no more; null: nothing. */
export function takenAway(
  grant: Grant,
  capability: Capability,
  { before, after, sshd }: { readonly before: Printed; readonly after: Printed; readonly sshd: Sshd },
): string | null {
  const all = wanted(grant, capability);
  if (all.length === 0 || !isOpen(before, capability, sshd)) return null;
  const [had, has] = [before, after].map((printed) =>
    givenItems(capability, printed).filter((item) => !isBind(item)),
  );
  const items = all.filter((item) => item !== "");
  const both = [
    ...items.filter((item) => isCovered(had ?? [], item)),
    ...(had ?? []).filter((item) => isCovered(items, item)),
  ];
  if (items.length > 0 && both.length === 0) return null;
  if (!isOpen(after, capability, sshd)) return "closed";
  const lost = both.filter((item) => !isCovered(has ?? [], item));
  return lost.length === 0 ? null : `without ${lost.join(" ")}`;
}

export function intentText({ allow, keep }: Intent): string {
  const text = ({ grant: { criteria, ...rest } }: IntentEntry): unknown => ({
    criteria: criteria.map((one) => `${one.attribute} ${"text" in one ? one.text : ""}`),
    ...rest,
  });
  return JSON.stringify({ allow: allow?.map(text) ?? null, keep: keep.map(text) });
}
