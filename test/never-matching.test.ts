/** "No connection is ever in this block", by brute force: no name and no address of a small world is in it. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { whyNeverMatching, whyNobodyMeant } from "../src/lint/never-matching.ts";
import { type Connection, NOT_OVER_IP } from "../src/policy/connection.ts";
import { criterionHolds, evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { loginOf } from "../src/policy/login.ts";
import { configOf } from "./configurations.ts";
import { signedList, withWildcard } from "./pattern-lists.ts";

const ADDRESSES = ["10.0.0.1", "192.168.1.7", "2001:db8::1", "fe80::1%eth0", "fe80::7%lo", NOT_OVER_IP.addr];
const USERS = ["alice", "bob", "eth0", "unknown"];
const WORLD: readonly Connection[] = USERS.flatMap((user) =>
  ADDRESSES.map((addr) => ({
    ...{ user, groups: [user], addr, host: addr, laddr: addr, lport: 22, rdomain: "", invalidUser: false },
  })),
);

const PATTERN = fc.oneof(
  fc.constantFrom(
    "*",
    "?*",
    "*eth0",
    "*th*",
    "host.example",
    "*.example",
    "unknown",
    "UNKN*",
    "=alice",
    "'bob'",
  ),
  fc.constantFrom(...USERS, ...ADDRESSES),
  withWildcard([...ADDRESSES, ...USERS]),
);
const LIST = signedList(PATTERN);
const LINE = fc
  .tuple(fc.constantFrom("User", "Group", "Host", "Address", "LocalAddress"), LIST)
  .map(([name, list]) => `Match ${name} "${list}"`);

it.each([
  ["Match Address *eth0", null],
  ["Match Host fe80::1%eth0", null],
  ["Match Host unknown", null],
  ["Match User =alice,bob", null],
  ["Match all\nUseDNS yes\nMatch Host foo.example", null],
  ["Match User =alice,=bob", "the = is part of the name here: leave it out"],
  ["Match Address 2001:db8::*", null],
  [
    "Match Address 2001:db8:0:0:0:0:0:*,2001:DB8::?",
    "sshd compares it as text and writes no IPv6 address so: lower case, no zeros in front, the longest run of zeros as ::",
  ],
  [
    "Match Address 10.0.0.300",
    "it is no address and no network, so it is compared as text with the address and never equal",
  ],
  ["Match Host foo.example", "with UseDNS no, sshd knows the client's address only and no host name"],
])("%j: %s", (text, why) => {
  const config = configOf(`${text}\nX11Forwarding yes\n`, "10.0");
  const reasons = config.matches.flatMap(({ criteria }) =>
    criteria.map((criterion) => whyNeverMatching(config, criterion)),
  );
  expect(reasons.at(-1)).toBe(why);
});

it("is said of blocks that nobody is in", () => {
  fc.assert(
    fc.property(LINE, fc.constantFrom("8.4", "9.2", "10.0"), (line, release) => {
      const config = configOf(`${line}\nX11Forwarding yes\n`, release);
      const [criterion] = config.matches.flatMap(({ criteria }) => criteria);
      if (criterion === undefined || whyNeverMatching(config, criterion) === null) return;
      const inside = WORLD.find((one) => criterionHolds(criterion, one, config.release) === true);
      expect([line, release, inside]).toEqual([line, release, undefined]);
    }),
    { numRuns: Number(process.env["THEORIES"] ?? 3000) },
  );
}, 60_000);

const ITEM = fc.oneof(
  PATTERN,
  fc
    .tuple(fc.constantFrom("alice", "*", "a?ice", "!bob", "alice,bob", ""), LIST)
    .map((parts) => parts.join("@")),
  fc.constantFrom("alice,bob", "!alice", "'alice'", "=alice"),
);

it("is said of items of AllowUsers and AllowGroups that let nobody in", () => {
  const items = fc.property(
    fc.constantFrom("AllowUsers", "AllowGroups"),
    ITEM,
    fc.constantFrom("8.4", "9.2", "10.0"),
    (keyword, item, release) => {
      const config = configOf(`${keyword} "${item}"\n`, release);
      const [line] = config.directives;
      if (line?.values == null || whyNobodyMeant(config, line.keyword, item) === null) return;
      const letIn = WORLD.find((one) => {
        const effective = evaluate(config, one);
        return isAnswer(effective) && loginOf(effective, one, config).login === "possible";
      });
      expect([keyword, item, release, letIn]).toEqual([keyword, item, release, undefined]);
    },
  );
  fc.assert(items, { numRuns: Number(process.env["THEORIES"] ?? 3000) });
}, 60_000);
