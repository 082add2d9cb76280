/** Whom a policy file names to keep, and who cannot log in from somewhere, by brute force over users, places and groups. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { compareIntent } from "../src/lint/intended.ts";
import type { Connection } from "../src/policy/connection.ts";
import { criterionHolds, evaluate, isAnswer } from "../src/policy/evaluate.ts";
import type { Grant } from "../src/policy/grant.ts";
import { loginOf } from "../src/policy/login.ts";
import { intentOf } from "./auditing.ts";
import { configOf, releaseOf } from "./configurations.ts";

const GROUP_SETS = [[], ["staff"], ["admins"], ["staff", "admins"]];
const WORLD: readonly (readonly Connection[])[] = ["alice", "bob", "root", "x"].flatMap((user) =>
  ["10.0.0.1", "10.1.0.1", "10.1.2.1", "192.168.1.7", "2001:db8::1"].map((addr) =>
    GROUP_SETS.map((groups) => ({
      ...{ user, groups, addr, host: addr, laddr: "192.0.2.1", lport: 22, rdomain: "", invalidUser: false },
    })),
  ),
);

const HOSTS = ["10.1.0.0/16", "10.*", "*", "!10.1.2.1,10.0.0.0/8", "!10.1.*,*", "192.168.1.7", "2001:db8::*"];
const ITEM = fc.oneof(
  fc.constantFrom("alice", "bob", "*", "a*", "root"),
  fc
    .tuple(fc.constantFrom("alice", "bob", "*", "?*"), fc.constantFrom(...HOSTS))
    .map((parts) => parts.join("@")),
);
const LINE = fc.oneof(
  fc.array(ITEM, { minLength: 1, maxLength: 2 }).map((items) => `AllowUsers ${items.join(" ")}`),
  ITEM.map((item) => `DenyUsers ${item}`),
  fc.constantFrom("AllowGroups staff", "DenyGroups admins", "PermitRootLogin no", "RefuseConnection yes"),
);
const BLOCK = fc
  .tuple(fc.constantFrom("User alice", "Address 10.1.0.0/16", "Group staff", "User *,!bob"), LINE)
  .map(([criteria, line]) => `Match ${criteria}\n${line}`);
const TEXT = fc
  .tuple(fc.array(LINE, { maxLength: 2 }), fc.array(BLOCK, { maxLength: 2 }))
  .map((parts) => `${parts.flat().join("\n")}\n`);
const KEEP = fc.record({
  users: fc.constantFrom(["alice"], ["alice", "bob"], ["root"], ["*", "!alice"], ["alice", "x*"]),
  from: fc.constantFrom("*", "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"),
});

const RELEASE = "10.0";

it("somebody who is named and cannot log in from somewhere is reported, and nobody else is", () => {
  fc.assert(
    fc.property(TEXT, KEEP, (text, keep) => {
      const config = configOf(text, RELEASE);
      const login = (connection: Connection): string => {
        const effective = evaluate(config, connection);
        return isAnswer(effective) ? loginOf(effective, connection, config).login : "impossible";
      };
      const isIn = ({ criteria }: Grant, connection: Connection): boolean =>
        criteria.every((criterion) => criterionHolds(criterion, connection, releaseOf(RELEASE)) === true);
      const entry = { ...keep, capability: "agent", reason: "r" };
      const intent = intentOf(JSON.stringify({ version: 1, allow: [], keep: [entry] }));
      const { losses } = compareIntent(config, intent, { accounts: null, today: "2026-01-01" });
      const [grant] = intent.keep.map((kept) => kept.grant);
      if (grant === undefined) throw new Error("no entry");
      const named: readonly string[] = keep.users.filter((name) => !/[*!]/.test(name));
      const refused = WORLD.filter(
        (groupings) =>
          groupings.every((connection) => isIn(grant, connection) && login(connection) === "impossible") &&
          named.includes(groupings[0]?.user ?? ""),
      );
      if (refused.length > 0) expect([text, keep, losses.length]).not.toEqual([text, keep, 0]);
      for (const { witness, kind } of losses) {
        if (witness === null || kind !== "refused") continue;
        expect([text, isIn(grant, witness), named.includes(witness.user ?? "")]).toEqual([text, true, true]);
        const others = GROUP_SETS.filter((groups) => groups.join() === witness.groups?.join());
        for (const groups of others)
          expect([text, login({ ...witness, groups })]).toEqual([text, "impossible"]);
      }
    }),
    { numRuns: Number(process.env["THEORIES"] ?? 800) },
  );
}, 120_000);

it.each<readonly [number, string]>([
  [2, "AllowTcpForwarding yes\nAllowUsers alice root\n"],
  [2, "AllowUsers alice\nAllowUsers root\n"],
  [1, "AllowUsers deploy@192.168.0.0/16\nAllowUsers root\n"],
  [2, "DenyUsers mallory\nDenyUsers dep*\n"],
  [3, "DenyUsers mallory\nMatch Address 10.2.0.0/16\nDenyUsers deploy\n"],
  [2, "Match User deploy\nRefuseConnection yes\n"],
  [3, "AllowUsers deploy\nMatch Address 10.0.0.0/8\nAllowUsers root\n"],
])("a login that is refused points at line %i, which refuses it: %j", (line, text) => {
  const intent = intentOf(
    "version: 1\nkeep:\n  - { users: deploy, from: 10.0.0.0/8, capability: tcp-local, to: db:5432 }\n",
  );
  const { losses } = compareIntent(configOf(text, "10.0"), intent, { accounts: null, today: "2026-01-01" });
  const [loss] = losses;
  expect(losses).toHaveLength(1);
  expect(loss?.kind).toMatch(/^(?:refused|no-login)$/);
  expect(loss?.decidedBy.map(({ directive }) => directive?.line.number)).toEqual([line]);
});

it("a group or root that may not log in points at its line, where accounts are known", () => {
  const at = (text: string, name: string): readonly (number | undefined)[] => {
    const people = [{ name, uid: 0, gid: 0, home: "/", shell: "/bin/sh", groups: ["staff"] }];
    const intent = intentOf(`version: 1\nkeep:\n  - { users: ${name}, capability: agent }\n`);
    const world = { accounts: people, today: "2026-01-01" };
    const { losses } = compareIntent(configOf(text, "10.0"), intent, world);
    return losses.flatMap(({ decidedBy }) => decidedBy.map(({ directive }) => directive?.line.number));
  };
  expect(at("DenyGroups other\nDenyGroups st*\n", "deploy")).toEqual([2]);
  expect(at("X11Forwarding no\nAllowGroups admins\n", "deploy")).toEqual([2]);
  expect(at("AllowGroups staff\nPermitRootLogin no\n", "root")).toEqual([2]);
});

it("says so where the search gave up, and not because lists are long", () => {
  const pattern = `*a${"?".repeat(16)}`;
  const limitsOf = (text: string): readonly string[] => {
    const intent = intentOf("version: 1\nkeep:\n  - { users: deploy, capability: agent }\n");
    const { everything, losses } = compareIntent(configOf(text, "10.0"), intent, {
      accounts: null,
      today: "2026-01-01",
    });
    expect(losses).toEqual([]);
    return everything.limits;
  };
  const places = Array.from({ length: 300 }, (_, index) => `mallory@10.${index >> 8}.${index & 255}.0/24`);
  expect(limitsOf(places.map((item) => `DenyUsers ${item}\n`).join(""))).toEqual([]);
  const puzzle = `Match Group ${pattern} Group *,!${pattern}\nDenyUsers deploy\n`;
  expect(limitsOf(puzzle)).toEqual(["whether everybody to be kept can log in could not be settled"]);
});

it("whoever is to be kept and is cut off by sshd is reported, with the line", () => {
  const lossesIn = (text: string, users: string): string[] => {
    const entry = { users, capability: ["tcp-local", "agent"], reason: "r" };
    const intent = intentOf(JSON.stringify({ version: 1, keep: [entry] }));
    const { losses, everything } = compareIntent(configOf(text, "9.9p2"), intent, {
      ...{ accounts: null, today: "2026-01-01" },
    });
    expect(everything.complete).toBe(true);
    return losses.map(
      ({ capability, kind, condition, witness, decidedBy }) =>
        `${capability} ${kind} ${condition} ${witness?.user} ${decidedBy.map(({ directive }) => directive?.line.number)}`,
    );
  };
  const text = "X11Forwarding no\nMatch User alice\nSubsystem sftp internal-sftp\n";
  const found = ["tcp-local", "agent"].map((capability) => `${capability} no-login user alice alice 3`);
  expect(lossesIn(text, "alice")).toEqual(found);
  expect(lossesIn(text, "*")).toEqual(found);
  expect(lossesIn(text, "bob")).toEqual([]);
});
