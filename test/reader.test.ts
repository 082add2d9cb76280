/** The quick reading answers as the walk line by line does, Includes inside blocks too: the search trusts it with its witnesses. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { readerOf } from "../src/policy/reader.ts";
import { configOf } from "./configurations.ts";
import { POLICY, universe } from "./policies.ts";

const KEYWORDS = [
  "allowtcpforwarding",
  "allowagentforwarding",
  "disableforwarding",
  "permitopen",
  "permitlisten",
];

/** A policy whose blocks stand in other blocks: the second is included by each block of the first. */
const NESTED = fc.tuple(POLICY, POLICY).map(([outer, inner]) => ({
  "/etc/ssh/sshd_config": outer.replaceAll(/^Match .*$/gm, "$&\nInclude inner.conf"),
  "/etc/ssh/inner.conf": inner,
}));

test.each([
  ["one file", POLICY],
  ["blocks that include blocks", NESTED],
])("%s", (_, files) => {
  fc.assert(
    fc.property(files, fc.constantFrom("9.2", "10.0"), (drawn, release) => {
      const config = configOf(drawn, release);
      const reader = readerOf(config);
      for (const connection of universe) {
        const walked = evaluate(config, connection);
        for (const keyword of KEYWORDS) {
          const wanted = isAnswer(walked) ? (walked.get(keyword) ?? null) : null;
          const read = reader.read(connection, keyword);
          expect(read?.values).toEqual(wanted?.values);
          expect(read?.decidedBy).toEqual(wanted?.decidedBy);
        }
      }
    }),
    { numRuns: 20 },
  );
});
