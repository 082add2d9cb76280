/** One line a finding, as compilers print them. */
import { positionAt } from "../source/source.ts";
import type { AuditReport, ReportedFinding, TargetReport } from "./report.ts";
import { visible } from "./text.ts";

export function concise({ targets }: AuditReport): string {
  return targets.map(conciseTarget).join("");
}

export function conciseTarget({ findings }: TargetReport): string {
  let text = "";
  for (const reported of findings) if (reported.suppressed === null) text += conciseLine(reported);
  return text;
}

function conciseLine({ finding }: ReportedFinding): string {
  const { source, start } = finding.place;
  const { line, column } = positionAt(source, start);
  return visible(
    `${source.path}:${line}:${column}: ${finding.severity}: ${finding.message} [${finding.rule}]`,
  ).concat("\n");
}
