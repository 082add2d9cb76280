/**
 * What well-known tools get wrong, and what sshd really does: 22 open and 7 closed configurations, and eight more.
 * Missed holes and false alarms must both be 0, by findings and by their witnesses.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RULES } from "../rules/index.ts";
import { evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { exposure } from "../src/policy/exposure.ts";
import { auditRoot, makeRoot } from "./auditing.ts";

interface Row {
  readonly row: string;
  readonly release: string;
  readonly files: Readonly<Record<string, string>>;
  readonly open: boolean | "refused";
  /** the only account for which it is open */
  readonly onlyUser?: string;
  readonly destinations?: readonly string[];
}

const rows: readonly Row[] = JSON.parse(
  readFileSync(new URL("../fixtures/truth-table.json", import.meta.url), "utf8"),
);
const TCP_RULES = ["tcp-forwarding", "reopened-by-match", "disable-forwarding-reopened"];

test("the table is whole", () => {
  expect(new Set(rows.map(({ row }) => row)).size).toBe(34);
});

test.each(rows)("row $row on $release", ({ files, release, open, onlyUser, destinations }) => {
  const { config, findings } = auditRoot({ root: makeRoot(files), rules: RULES, release });
  if (open === "refused") {
    expect(findings.some(({ severity }) => severity === "error")).toBe(true);
    return;
  }
  const holes = findings.filter(({ rule }) => TCP_RULES.includes(rule));
  expect(holes.length > 0).toBe(open);
  for (const { witness } of holes) {
    if (witness === null) throw new Error("a hole without a witness");
    if (onlyUser !== undefined) expect(witness.user).toBe(onlyUser);
    const effective = evaluate(config, witness);
    if (!isAnswer(effective)) throw new Error(effective.message);
    expect(effective.get("allowtcpforwarding")?.values[0]).not.toBe("no");
    expect(effective.get("disableforwarding")?.values[0]).toBe("no");
  }
  if (destinations !== undefined) {
    const local = exposure(config).answers.filter(({ capability }) => capability === "tcp-local");
    expect(local.map((answer) => answer.destinations)).toEqual([destinations]);
  }
});
