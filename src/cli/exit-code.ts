/** What a report means to a script (cli.md, "Exit codes"). */
import type { Severity } from "../lint/rule.ts";
import type { AuditReport } from "../report/report.ts";

/** A fix was applied and rolled back. */
export const ROLLED_BACK = 4;

const RANK: readonly Severity[] = ["info", "low", "medium", "high", "error"];

/** 3 before 2 before 1: an answer that is not complete must not be taken for a clean one. */
export function exitCode(report: AuditReport): number {
  const read = report.targets.filter(({ error }) => error === null);
  if (read.some(({ complete }) => !complete)) return 3;
  if (read.length < report.targets.length) return 2;
  const failing = read.some(({ findings, failOn }) =>
    findings.some(
      ({ finding, suppressed }) =>
        suppressed === null && RANK.indexOf(finding.severity) >= RANK.indexOf(failOn),
    ),
  );
  return failing ? 1 : 0;
}
