/** A fix changes no line more than what it closes needs, judged by all that is open with one change left out. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { RULES } from "../rules/index.ts";
import type { Config } from "../src/config/config.ts";
import { applyEdits, type Edit } from "../src/edit/edit.ts";
import { comparePolicies } from "../src/policy/compare.ts";
import { auditRoot, fixRoot, MAIN, makeRoot } from "./auditing.ts";

const LINES = [
  "AllowTcpForwarding yes",
  "AllowTcpForwarding local",
  "AllowTcpForwarding remote",
  "AllowTcpForwarding no",
  "AllowStreamLocalForwarding yes",
  "AllowStreamLocalForwarding no",
  "GatewayPorts yes",
  "GatewayPorts clientspecified",
  "PermitOpen any",
  "PermitOpen db:5432",
  "PermitListen any",
  "DisableForwarding yes",
  "DisableForwarding no",
  "PermitTunnel yes",
  "X11Forwarding yes",
  "AllowAgentForwarding no",
];

const SOME = fc.subarray(LINES, { maxLength: 4 }).map((lines) => lines.map((line) => `${line}\n`).join(""));
const CONFIGURATION = fc
  .tuple(SOME, SOME, SOME)
  .map(([everywhere, a, b]) => `${everywhere}Match User a\n${a}Match Address 10.0.0.0/8\n${b}`);

/** The text with these edits alone. */
function edited(text: string, edits: readonly Edit[]): Config {
  return auditRoot({ root: makeRoot({ [MAIN]: applyEdits(text, edits) }), rules: [] }).config;
}

test("each edit of a fix that is left out leaves something open", () => {
  let seen = 0;
  fc.assert(
    fc.property(CONFIGURATION, (text) => {
      const plan = fixRoot({ root: makeRoot({ [MAIN]: text }), rules: RULES });
      const edits = plan.files[0]?.edits ?? [];
      for (const edit of edits) {
        const others = edits.filter((other) => other !== edit);
        const { changes } = comparePolicies(plan.after, edited(text, others));
        expect(
          changes.map(({ change }) => change),
          JSON.stringify({ text, edit }),
        ).toContain("gained");
        seen++;
      }
    }),
    { numRuns: 60 },
  );
  expect(seen).toBeGreaterThan(90);
});
