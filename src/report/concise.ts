/** One line a finding, as compilers print them. */
import { positionAt } from "../source/source.ts";
import type { AuditReport, ReportedFinding } from "./report.ts";
import { visible } from "./text.ts";

export function concise(report: AuditReport): string {
  return report.targets
    .flatMap(({ findings }) => findings)
    .filter(({ suppressed }) => suppressed === null)
    .map(conciseLine)
    .join("");
}

function conciseLine({ finding }: ReportedFinding): string {
  const { source, start } = finding.place;
  const { line, column } = positionAt(source, start);
  return visible(
    `${source.path}:${line}:${column}: ${finding.severity}: ${finding.message} [${finding.rule}]`,
  ).concat("\n");
}
