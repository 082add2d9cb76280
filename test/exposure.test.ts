import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Config } from "../src/config/config.ts";
import type { Answer } from "../src/policy/answer.ts";
import { CAPABILITIES, type Capability, type Connection } from "../src/policy/connection.ts";
import { type Effective, evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { exposure, lineUses, locate } from "../src/policy/exposure.ts";
import { configOf } from "./configurations.ts";

/** The open regions as "capability: condition". */
function open(text: string, capability: Capability, release?: string): string[] {
  return exposure(configOf(text, release))
    .answers.filter((answer) => answer.capability === capability && answer.allowed === true)
    .map(({ condition }) => condition);
}

describe("who may tunnel TCP outward, in words", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["", ["everybody"]],
    ["AllowTcpForwarding no\n", []],
    ["AllowTcpForwarding no\nMatch User bob\nAllowTcpForwarding yes\n", ["user bob"]],
    ["Match User bob\nAllowTcpForwarding no\n", ["everybody, except user bob"]],
    ["AllowTcpForwarding no\nMatch User *,!root\nAllowTcpForwarding yes\n", ["everybody, not root"]],
    ["AllowTcpForwarding no\nMatch User !bob\nAllowTcpForwarding yes\n", []],
    [
      "AllowTcpForwarding no\nMatch Group fwd Address 10.0.0.0/8\nAllowTcpForwarding local\n",
      ["members of group fwd from 10.0.0.0/8"],
    ],
    [
      "AllowTcpForwarding no\nMatch User bob\nAllowTcpForwarding no\nMatch User bob\nAllowTcpForwarding yes\n",
      [],
    ],
    ["AllowTcpForwarding no\nMatch LocalPort 2222\nAllowTcpForwarding yes\n", ["everybody to port 2222"]],
    ["DisableForwarding yes\nMatch User x*\nDisableForwarding no\n", ["user x*"]],
    ["AllowTcpForwarding no\nMatch Host *.example.com\nAllowTcpForwarding yes\n", []],
    [
      "UseDNS yes\nAllowTcpForwarding no\nMatch Host *.example.com\nAllowTcpForwarding yes\n",
      ["everybody from host *.example.com"],
    ],
  ];
  it.each(cases)("%j", (text, expected) => {
    expect(open(text, "tcp-local")).toEqual(expected);
  });
});

const USERS = ["alice", "bob", "carol", "root", "dev-1", "x"];
const GROUP_SETS = [null, [], ["staff"], ["admins"], ["staff", "admins"], ["sftponly"], ["zz"]];
const ADDRESSES = [
  "10.0.0.1",
  "10.1.2.3",
  "192.168.1.7",
  "203.0.113.9",
  "2001:db8::1",
  "2001:db8:1::1",
  "fe80::1%eth0",
];
const PORTS = [22, 2222, 80];

const universe: readonly Connection[] = USERS.flatMap((user) =>
  GROUP_SETS.flatMap((groups) =>
    ADDRESSES.flatMap((addr) =>
      PORTS.map((lport) => ({
        user,
        groups,
        host: addr,
        addr,
        laddr: "192.0.2.1",
        lport,
        rdomain: "",
        invalidUser: groups === null,
      })),
    ),
  ),
);

const CRITERIA = fc.constantFrom(
  "User alice",
  "User bob,carol",
  "User *,!root",
  "User dev-*",
  "User !bob",
  "User al*,!alice",
  "Group staff",
  "Group *,!admins",
  "Group admins,sftponly",
  "Group !staff,*",
  "Address 10.0.0.0/8",
  "Address 10.1.0.0/16",
  "Address *,!10.0.0.0/8",
  "Address 192.168.*",
  "Address 2001:db8::/32",
  "Address fe80::*",
  "LocalPort 2222",
  "Host 10.*",
  "All",
  "Invalid-User",
);
const SETTINGS = fc.constantFrom(
  "AllowTcpForwarding yes",
  "AllowTcpForwarding no",
  "AllowTcpForwarding local",
  "DisableForwarding yes",
  "DisableForwarding no",
  "PermitOpen db:5432",
  "PermitOpen none",
  "PermitOpen *:*",
  "AllowStreamLocalForwarding no",
  "PermitTunnel yes",
  "X11Forwarding yes",
  "AllowAgentForwarding no",
  "GatewayPorts yes",
);
const BLOCK = fc
  .tuple(
    fc.array(CRITERIA, { minLength: 1, maxLength: 2 }),
    fc.array(SETTINGS, { minLength: 1, maxLength: 3 }),
  )
  .filter(([criteria]) => criteria.length === 1 || !criteria.includes("All"))
  .map(([criteria, settings]) => `Match ${criteria.join(" ")}\n${settings.join("\n")}\n`);
const POLICY = fc
  .tuple(fc.array(SETTINGS, { maxLength: 2 }), fc.array(BLOCK, { maxLength: 5 }))
  .map(([settings, blocks]) => [...settings, ...blocks].join("\n"));

/** The capabilities once more, from sshd's rules alone (semantics 7.2), for 10.0. */
function isOpen(effective: Effective, capability: Capability): boolean {
  const of = (keyword: string): string => effective.get(keyword)?.values.join(" ") ?? "";
  const tcp = of("allowtcpforwarding");
  const sockets = of("allowstreamlocalforwarding");
  const on = of("disableforwarding") === "no";
  const out = on && (tcp === "yes" || tcp === "local");
  const into = on && (tcp === "yes" || tcp === "remote");
  switch (capability) {
    case "tcp-local":
      return out && of("permitopen") !== "none";
    case "tcp-remote":
      return into && of("permitlisten") !== "none";
    case "unix-local":
      return out && (sockets === "yes" || sockets === "local") && ["any", "*:*"].includes(of("permitopen"));
    case "unix-remote":
      return into && (sockets === "yes" || sockets === "remote");
    case "tun":
      return of("permittunnel") !== "no";
    case "x11":
      return on && of("x11forwarding") === "yes";
    case "agent":
      return on && of("allowagentforwarding") === "yes";
  }
}

function identify(answer: Answer): string {
  return `${answer.capability} ${answer.allowed} ${answer.decidedBy.map(({ keyword, directive }) => `${keyword}=${directive?.order ?? "default"}`).join(" ")}`;
}

function checkPolicy(config: Config): void {
  const { answers, complete } = exposure(config);
  expect(complete).toBe(true);
  const reached = new Set<string>();
  for (const connection of universe) {
    const effective = evaluate(config, connection);
    if (!isAnswer(effective)) continue;
    for (const capability of CAPABILITIES) {
      const answer = locate(config, answers, capability, connection);
      if (answer === null) throw new Error(`no region of ${capability} holds ${JSON.stringify(connection)}`);
      expect(answer.allowed).toBe(isOpen(effective, capability));
      reached.add(identify(answer));
    }
  }
  for (const answer of answers) {
    expect(answer.witness).not.toBeNull();
    if (answer.witness === null) continue;
    expect(locate(config, answers, answer.capability, answer.witness)).toBe(answer);
  }
}

describe("the cases of a capability cover every connection exactly once", () => {
  it("on random policies, against every connection of a small universe", () => {
    fc.assert(
      fc.property(POLICY, (text) => checkPolicy(configOf(text, "10.0"))),
      { numRuns: 100 },
    );
  });
});

describe("a line that never decides", () => {
  it("is told from one that does, by brute force", () => {
    fc.assert(
      fc.property(POLICY, (text) => {
        const config = configOf(text, "10.0");
        const deciding = new Set<unknown>();
        for (const connection of universe) {
          const effective = evaluate(config, connection);
          if (!isAnswer(effective)) continue;
          for (const line of effective.get("allowtcpforwarding")?.decidedBy ?? []) deciding.add(line);
        }
        for (const use of lineUses(config).filter(
          ({ directive }) => directive.keyword === "allowtcpforwarding",
        )) {
          if (deciding.has(use.directive)) expect(use.decides).toBe(true);
          if (use.decides === true) expect(use.witness).not.toBeNull();
          if (use.decides === false) expect(deciding.has(use.directive)).toBe(false);
        }
      }),
      { numRuns: 80 },
    );
  });
});
