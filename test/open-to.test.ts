/** What is open to one account from anywhere, by brute force over places. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Account } from "../src/files/tree.ts";
import { CAPABILITIES, type Connection } from "../src/policy/connection.ts";
import { evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { exposure } from "../src/policy/exposure.ts";
import { isFrom, loginOf } from "../src/policy/login.ts";
import { openTo } from "../src/policy/open-to.ts";
import { configOf } from "./configurations.ts";
import { isOpen, POLICY, universe } from "./policies.ts";

const ACCOUNT: Account = {
  ...{ name: "alice", uid: 1000, gid: 1000, home: "/home/alice", shell: "/usr/sbin/nologin" },
  groups: ["staff"],
};
const LISTS = fc.constantFrom(
  "",
  "AllowUsers alice\n",
  "AllowUsers alice@10.1.0.0/16 bob\n",
  "AllowUsers bob\n",
  "DenyUsers alice@192.168.*\n",
  "DenyGroups staff\n",
);
/** Of the key that logs in. */
const FROM = fc.constantFrom(
  null,
  null,
  "10.0.0.0/8",
  "10.1.2.3,192.168.*",
  "*,!10.0.0.0/8",
  "!10.0.0.0/8",
  "10.0.0.1/8",
  "*.example.com,10.1.0.0/16",
  "2001:DB8::*",
  "",
);
/** Without places, too: then one connection is asked. */
const TEXT = fc
  .tuple(LISTS, POLICY, fc.boolean())
  .map(
    ([lists, policy, placed]) =>
      lists + (placed ? policy : policy.replaceAll(/Address|LocalPort|Host/g, "User")),
  );

it("is all that one of its connections gets that can log in, and nothing else", () => {
  const own = universe.filter(({ user, groups }) => user === "alice" && groups?.join() === "staff");
  let [found, limited] = [0, 0];
  fc.assert(
    fc.property(TEXT, FROM, (text, from) => {
      const config = configOf(text, "10.0");
      const { answers } = exposure(config, { answers: "open" });
      const mayLogIn = (connection: Connection): boolean => {
        const effective = evaluate(config, connection);
        return (
          isAnswer(effective) &&
          loginOf(effective, connection, config).login !== "impossible" &&
          (from === null || isFrom(from, connection, config.release))
        );
      };
      const isGiven = (connection: Connection, capability: (typeof CAPABILITIES)[number]): boolean => {
        const effective = evaluate(config, connection);
        return isAnswer(effective) && isOpen(effective, capability);
      };
      const admitted = own.filter(mayLogIn);
      const told = openTo({ config, answers }, ACCOUNT, { capabilities: CAPABILITIES, from });
      if (admitted.length > 0) expect([text, told]).not.toEqual([text, null]);
      for (const capability of CAPABILITIES) {
        const given = admitted.filter((connection) => isGiven(connection, capability));
        const same = (told ?? []).filter((answer) => answer.capability === capability);
        if (given.length > 0) expect([text, capability, same.length]).not.toEqual([text, capability, 0]);
        if (given.length > 0 && given.length < own.length) limited++;
        for (const { allowed, witness, login, extent } of same) {
          // names in a list of a key can be zones of addresses, too: then nothing is known, and nothing is kept silent
          if (from?.includes("example") === true && allowed === "unknown") continue;
          found++;
          expect([text, witness?.user, witness?.groups]).toEqual([text, "alice", ["staff"]]);
          expect(extent.who).toContain("user alice");
          if (witness === null) continue;
          expect([text, capability, isGiven(witness, capability)]).toEqual([text, capability, true]);
          if (login === "possible") expect([text, mayLogIn(witness)]).toEqual([text, true]);
        }
      }
    }),
    { numRuns: Number(process.env["THEORIES"] ?? 300) },
  );
  expect(found).toBeGreaterThan(100);
  expect(limited).toBeGreaterThan(20);
}, 120_000);
