/** Workflow commands of GitHub Actions: an annotation a finding. */
import type { Severity } from "../lint/rule.ts";
import { positionAt } from "../source/source.ts";
import type { AuditReport, ReportedFinding } from "./report.ts";
import { visible } from "./text.ts";

const COMMAND: Readonly<Record<Severity, string>> = {
  error: "error",
  high: "error",
  medium: "warning",
  low: "notice",
  info: "notice",
};

export function github(report: AuditReport): string {
  return report.targets
    .flatMap(({ findings }) => findings)
    .filter(({ suppressed }) => suppressed === null)
    .map(annotation)
    .join("");
}

function annotation({ finding }: ReportedFinding): string {
  const { place } = finding;
  const { source } = place;
  const start = positionAt(source, place.start);
  const end = positionAt(source, place.end);
  const properties = {
    // a path with a control character finds no file, and does nothing to a log either
    file: visible(source.path),
    line: start.line,
    endLine: end.line,
    col: start.column,
    // GitHub shows columns only of an annotation on one line
    ...(start.line === end.line ? { endColumn: end.column } : {}),
    title: `${finding.severity}: ${finding.rule}`,
  };
  const list = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
  const text = [finding.message, ...finding.notes].map(visible).join("\n");
  return `::${COMMAND[finding.severity]} ${list.join(",")}::${escapeData(text)}\n`;
}

/** As @actions/core toCommand does: nothing of a file may begin a command of its own. */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
