import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddressList } from "../grammar/addresses.ts";
import type { Config } from "../src/config/config.ts";
import type { Answer } from "../src/policy/answer.ts";
import { CAPABILITIES, type Capability } from "../src/policy/connection.ts";
import { choiceAt } from "../src/policy/deciders.ts";
import { evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { exposure } from "../src/policy/exposure.ts";
import { lineUses } from "../src/policy/line-uses.ts";
import { locate } from "../src/policy/locate.ts";
import { startReasoning } from "../src/policy/reasoning.ts";
import { eachRegion, type Region } from "../src/policy/regions.ts";
import { contains } from "../src/policy/search.ts";
import { configOf } from "./configurations.ts";
import { isOpen, POLICY, universe } from "./policies.ts";

/** The open regions as "capability: condition". */
function open(text: string, capability: Capability, release?: string): string[] {
  return exposure(configOf(text, release))
    .answers.filter((answer) => answer.capability === capability && answer.allowed === true)
    .map(({ condition }) => condition);
}

describe("what a program calls itself", () => {
  it.each([
    ["1:10.0p1-7+deb13u4", "OpenSSH_10.0p2 Debian-7+deb13u4", ["everybody"]],
    ["1:10.0p1-7+deb13u4", "OpenSSH_10.0p1*", []],
    ["10.0p1", "OpenSSH_10.0p2", ["everybody"]],
    ["10.1", "OpenSSH_10.1p1", ["everybody"]],
  ])("%s holds Match Version %j: %j", (of, pattern, expected) => {
    const text = `AllowTcpForwarding no\nMatch Version "${pattern}"\nAllowTcpForwarding yes\n`;
    expect(open(text, "tcp-local", of)).toEqual(expected);
  });
});

describe("unix sockets that PermitOpen leaves", () => {
  it.each([
    ["any", "9.2", ["*"]],
    ["none", "9.2", []],
    ["db:5432 *:80", "9.2", []],
    ["[*]:*", "9.2", ["*"]],
    ["db:* [/run/x.sock]:* [tmp/y]:*", "9.2", ["db", "/run/x.sock", "tmp/y"]],
    // printed as *:0 by sshd
    ["*:*", "7.4", ["*"]],
    ["db:*", "7.4", ["db"]],
  ])("PermitOpen %s, OpenSSH %s: %j", (list, of, expected) => {
    const { answers } = exposure(configOf(`PermitOpen ${list}\n`, of), { capabilities: ["unix-local"] });
    expect(answers.flatMap(({ allowed, destinations }) => (allowed === true ? destinations : []))).toEqual(
      expected,
    );
  });
});

describe("what is closed", () => {
  it("leads nowhere, listens nowhere and needs nothing", () => {
    const config = configOf("DisableForwarding yes\nPermitOpen db:1\nPermitListen 8080\n", "10.5");
    const { answers } = exposure(config);
    expect(
      answers.map(({ allowed, destinations, listen, needs }) => [allowed, destinations, listen, needs]),
    ).toEqual(CAPABILITIES.map(() => [false, [], null, []]));
  });
});

describe("who may tunnel TCP outward, in words", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["", ["everybody"]],
    ["AllowTcpForwarding no\n", []],
    ["AllowTcpForwarding no\nMatch User bob\nAllowTcpForwarding yes\n", ["user bob"]],
    ["Match User bob\nAllowTcpForwarding no\n", ["everybody, except user bob"]],
    ["AllowTcpForwarding no\nMatch User *,!root\nAllowTcpForwarding yes\n", ["everybody (not root)"]],
    [
      "AllowTcpForwarding no\nMatch Group fwd Address 10.0.0.0/8 User *,!root\nAllowTcpForwarding yes\n",
      ["everybody (not root) in group fwd from 10.0.0.0/8"],
    ],
    [
      "AllowTcpForwarding no\nMatch Address 10.0.0.0/8 User *,!root\nAllowTcpForwarding yes\n",
      ["everybody (not root) from 10.0.0.0/8"],
    ],
    [
      "AllowTcpForwarding no\nMatch User a*,!ab Group fwd Address 10.0.0.0/8,!10.0.0.1\nAllowTcpForwarding yes\n",
      ["user a* (not ab) in group fwd from 10.0.0.0/8 (not 10.0.0.1)"],
    ],
    [
      "Match Address *,!10.1.0.0/16 User *,!root\nAllowTcpForwarding no\n",
      ["everybody, except everybody (not root) from any IP address (not 10.1.0.0/16)"],
    ],
    ["AllowTcpForwarding no\nMatch User !bob\nAllowTcpForwarding yes\n", []],
    [
      "AllowTcpForwarding no\nMatch Group fwd Address 10.0.0.0/8\nAllowTcpForwarding local\n",
      ["members of group fwd from 10.0.0.0/8"],
    ],
    [
      "AllowTcpForwarding no\nMatch User bob\nAllowTcpForwarding no\nMatch User bob\nAllowTcpForwarding yes\n",
      [],
    ],
    // names of a directory: sshd takes them, though no useradd makes them
    ['AllowTcpForwarding no\nMatch User "bob smith"\nAllowTcpForwarding yes\n', ["user bob smith"]],
    [
      'AllowTcpForwarding no\nMatch Group "domain users"\nAllowTcpForwarding yes\n',
      ["members of group domain users"],
    ],
    ["AllowTcpForwarding no\nMatch User DOM/bob\nAllowTcpForwarding yes\n", ["user DOM/bob"]],
    // sshd cuts a user off at the colon
    ["AllowTcpForwarding no\nMatch User bob:x\nAllowTcpForwarding yes\n", []],
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

  it.each([
    [30, "from 10.0.0.0/8, except user root"],
    [60, "from 10.0.0.0/8, except where an earlier block decides"],
  ])("behind %i blocks that nobody is in: everybody %s", (count, who) => {
    const empty = Array.from({ length: count }, (_, at) => `Match User u${at},!u*\nAllowTcpForwarding no\n`);
    const text = `AllowTcpForwarding no\n${empty.join("")}Match User root\nAllowTcpForwarding no\nMatch Address 10.0.0.0/8\nAllowTcpForwarding yes\n`;
    expect(open(text, "tcp-local")).toEqual([`everybody ${who}`]);
  });
});

function identify(answer: Answer): string {
  return `${answer.capability} ${answer.allowed} ${answer.decidedBy.map(({ keyword, directive }) => `${keyword}=${directive?.order ?? "default"}`).join(" ")}`;
}

function checkPolicy(config: Config): void {
  const { answers, complete } = exposure(config);
  expect(complete).toBe(true);
  const open = answers.filter(({ allowed }) => allowed !== false);
  expect(exposure(config, { answers: "open" }).answers).toEqual(open);
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

const KEYWORDS = ["allowtcpforwarding", "disableforwarding", "permitopen", "x11forwarding", "gatewayports"];

describe("the cases of a setting cover every connection exactly once", () => {
  it("as sets of connections, on random policies, and so do the ways through a capability", () => {
    fc.assert(
      fc.property(POLICY, (text) => {
        const config = configOf(text, "10.0");
        const reasoning = startReasoning(config);
        const { searcher } = reasoning;
        const ways = new Map(CAPABILITIES.map((capability) => [capability, [] as Region[]]));
        for (const [capability, regions] of ways)
          eachRegion(reasoning, capability, { scope: searcher.everywhere, witness: null }, (region) =>
            regions.push(region),
          );
        for (const connection of universe) {
          const effective = evaluate(config, connection);
          if (!isAnswer(effective)) continue;
          for (const keyword of KEYWORDS) {
            const lines = reasoning.linesOf(keyword);
            const cases = reasoning
              .partitionOf(lines, searcher.everywhere, null)
              .parts.filter(({ scope }) => contains(searcher, scope, connection))
              .map((part) => choiceAt(lines, part));
            const setting = effective.get(keyword);
            expect(cases.map(({ directive }) => directive)).toEqual([setting?.decidedBy[0] ?? null]);
            expect(cases[0]?.values).toEqual(setting?.values);
          }
          for (const [capability, regions] of ways) {
            const found = regions.filter(({ scope }) => contains(searcher, scope, connection));
            expect(found.map(({ allowed }) => allowed)).toEqual([isOpen(effective, capability)]);
          }
        }
      }),
      { numRuns: 25 },
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

describe("the blame for a line that never decides", () => {
  it("falls on the lines that decide in its place, not on one that never does either", () => {
    const lines = lineUses(
      configOf(
        "Match User bob,alice\nAllowTcpForwarding local\nMatch User bob\nAllowTcpForwarding no\n" +
          "Match User bob Group staff\nAllowTcpForwarding yes\n",
      ),
    );
    const blamed = lines.map(({ decides, shadowedBy }) => [
      decides,
      ...shadowedBy.map(({ line }) => line.number),
    ]);
    expect(blamed).toEqual([[true], [false, 2], [false, 2]]);
  });
});

describe("what is hard to settle", () => {
  it("shares one effort limit, and leaves the rest of the policy answered", () => {
    // a name with a letter in one place, and no such name: an automaton of 2^places states
    const puzzles = Array.from({ length: 40 }, (_, index) => {
      const pattern = `*${"abcdefgh"[index % 8]}${"?".repeat(12 + (index % 20))}`;
      return `Match User ${pattern} User *,!${pattern}\nAllowTcpForwarding yes\n`;
    });
    const config = configOf(
      `AllowTcpForwarding no\nMatch User bob\nAllowTcpForwarding yes\n${puzzles.join("")}Match User bob2\nAllowTcpForwarding yes\n`,
    );
    const { answers, complete, limits } = exposure(config, { capabilities: ["tcp-local"] });
    expect(complete).toBe(false);
    expect(limits.length).toBe(40);
    expect(answers.filter(({ allowed }) => allowed === true).map(({ condition }) => condition)).toEqual([
      "user bob",
      expect.stringMatching(/^user bob2/),
    ]);
  });

  it("counts a region as open that a line may close, also where only open ones are asked for", () => {
    const pattern = `*a${"?".repeat(16)}`;
    const config = configOf(
      `Match User ${pattern} User *,!${pattern}\nAllowTcpForwarding no\nMatch all\nAllowTcpForwarding yes\n`,
    );
    const found = exposure(config, { capabilities: ["tcp-local"], answers: "open" });
    expect(found.answers.map(({ allowed }) => allowed)).toEqual(["unknown", true]);
    expect({ complete: found.complete, limits: found.limits.length }).toEqual({ complete: false, limits: 1 });
  });

  it("finds a link-local client on an interface with no usual name", () => {
    const config = configOf(
      "AllowTcpForwarding no\nMatch Address 0.0.0.0/0,::/0\nAllowTcpForwarding no\n" +
        "Match Address *0,*o,*1,*3\nAllowTcpForwarding no\nMatch Address *\nAllowTcpForwarding yes\n",
      "9.6",
    );
    const [open] = exposure(config, { capabilities: ["tcp-local"] }).answers.filter(
      ({ allowed }) => allowed !== false,
    );
    expect(open?.witness?.addr).toMatch(/^fe80::1%[a-z]+$/);
    expect(open?.allowed).toBe(true);
  });

  it.each([
    ["10.0", "X11DisplayOffset 999", true],
    ["10.0", "X11DisplayOffset 1000", false],
    ["10.1", "X11DisplayOffset 1000", true],
    ["10.1", "X11DisplayOffset 58535", true],
    ["10.6", "X11DisplayOffset 58536", false],
    ["7.4", "MaxSessions -2", false],
    ["7.4", "MaxSessions -1", true],
  ])("of X11 on %s with %s is open: %s", (release, line, allowed) => {
    const { answers } = exposure(configOf(`X11Forwarding yes\n${line}\n`, release), {
      capabilities: ["x11"],
    });
    expect(answers.map((answer) => answer.allowed)).toEqual([allowed]);
  });
});

describe("who can log in, beside the grant", () => {
  const logins = (text: string): readonly string[] =>
    exposure(configOf(text), { capabilities: ["tcp-local"] })
      .answers.filter(({ allowed }) => allowed === true)
      .map(({ condition, login }) => `${condition}: ${login}`);
  const blocks = "AllowTcpForwarding no\nMatch User pi\nAllowTcpForwarding yes\n";

  it("does not depend on where root may, for anybody else", () => {
    const place = "Match Address 10.0.0.0/8\nPermitRootLogin no\n";
    expect(logins(`DenyUsers pi\n${blocks}${place}`)).toEqual(["user pi: impossible"]);
    expect(logins(`AllowUsers root\n${blocks.replace("pi", "root")}${place}`)).toEqual([
      "user root: possible",
    ]);
  });

  it.each([
    ["cafe.de", true],
    ["10.0.0.0/8,!2001:db8::/32", false],
    ["10.0.0.*", true],
  ])("takes for granted that addresses have names where hosts are %s: %s", (hosts, expected) => {
    const { assumptions } = exposure(configOf(`UseDNS yes\nAllowUsers alice@${hosts}\n`));
    expect(assumptions.some((text) => text.includes("may resolve to any host name"))).toBe(expected);
  });

  it("does not depend on what was asked before", () => {
    const text =
      "DenyUsers d\nAllowUsers zed\nDenyGroups g\nAllowTcpForwarding no\nMatch User zed\nAllowTcpForwarding yes\n";
    const config = configOf(text, "9.2");
    const first = exposure(config);
    const place = config.matches[0]?.criteria[0]?.place;
    if (place === undefined) throw new Error("no criterion");
    const { items } = parseAddressList("10.0.0.0/8");
    exposure(config, { accounts: [], inside: [{ attribute: "address", place, text: "10.0.0.0/8", items }] });
    expect(exposure(config)).toEqual(first);
  });

  it("shows nobody whose name sshd -C cannot take", () => {
    const [answer] = exposure(configOf("AllowUsers a,b\n", "9.6"), { capabilities: ["tcp-local"] }).answers;
    expect(answer).toMatchObject({ login: "possible", loginBecause: "a,b may log in" });
    expect(answer?.witness?.user).not.toContain(",");
  });

  it("says of no witness that nothing refuses it where something does", () => {
    const config = configOf(
      "AllowUsers alice@10.0.0.0/8\nPermitOpen none\nMatch Address 10.0.0.0/8\nAllowTcpForwarding local\n",
    );
    for (const { witness, loginBecause } of exposure(config).answers) {
      const free = loginBecause === "nothing in the configuration refuses this login";
      if (free) expect(witness).toMatchObject({ user: "alice", addr: expect.stringMatching(/^10\./) });
    }
  });

  it("shows nobody whose connection another line closes first", () => {
    const config = configOf(
      "DisableForwarding yes\nAllowGroups fwd\nMatch User git\nAllowAgentForwarding yes\nMatch Group wheel\nAllowAgentForwarding no\nAllowTcpForwarding local\n",
      "10.0",
    );
    const { answers } = exposure(config, { capabilities: ["tcp-local", "agent"] });
    expect(answers.map(({ decidedBy }) => decidedBy[0]?.keyword)).toContain("disableforwarding");
    for (const answer of answers)
      expect(answer.witness && locate(config, answers, answer.capability, answer.witness)).toBe(answer);
  });

  it("is known, however long a list is", () => {
    const groups = Array.from({ length: 70 }, (_, number) => `g${number}`).join(" ");
    expect(logins(`AllowGroups ${groups}\n${blocks}`)).toEqual(["user pi: possible"]);
    expect(logins(`DenyGroups ${groups} g99\nAllowGroups ${groups} last\n${blocks}`)).toEqual([
      "user pi: possible",
    ]);
    expect(logins(`DenyGroups ${groups}\nAllowGroups ${groups}\n${blocks}`)).toEqual(["user pi: impossible"]);
  });
});
