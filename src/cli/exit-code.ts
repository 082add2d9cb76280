/** What a report means to a script (cli.md, "Exit codes"). */
import type { Severity } from "../lint/rule.ts";
import type { AuditReport, TargetReport } from "../report/report.ts";

/** A fix was applied and rolled back. */
export const ROLLED_BACK = 4;

const RANK: readonly Severity[] = ["info", "low", "medium", "high", "error"];

export function exitCode({ targets }: AuditReport): number {
  return worst(targets.map(codeOf));
}

/** Of a target alone. */
export function codeOf({ error, complete, findings, failOn }: TargetReport): number {
  if (error !== null) return 2;
  if (!complete) return 3;
  const isFailing = findings.some(
    ({ finding, suppressed }) =>
      suppressed === null && RANK.indexOf(finding.severity) >= RANK.indexOf(failOn),
  );
  return isFailing ? 1 : 0;
}

/** 3 before 2 before 1: an answer that is not complete must not be taken for a clean one. */
export function worst(codes: readonly number[]): number {
  return codes.reduce((one, other) => Math.max(one, other), 0);
}
