/** JUnit XML: a suite a target, a failed case a finding; one passed case where nothing is found. */
import { positionAt } from "../source/source.ts";
import type { AuditReport, ReportedFinding, TargetReport } from "./report.ts";
import { visible } from "./text.ts";

export function junit(report: AuditReport): string {
  const suites = report.targets.map(suite);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escapeXml(report.tool.name)}">\n${suites.join("")}</testsuites>\n`;
}

function suite({ path, error, findings }: TargetReport): string {
  const open = findings.filter(({ suppressed }) => suppressed === null);
  const held = findings.length - open.length;
  const cases = [...findings.map(testCase), ...(error === null ? [] : [failedToRead(path, error)])];
  if (cases.length === 0) cases.push(`    <testcase classname="${escapeXml(path)}" name="audit"/>\n`);
  const counts = `tests="${cases.length}" failures="${open.length}" errors="${error === null ? 0 : 1}" skipped="${held}"`;
  return `  <testsuite name="${escapeXml(path)}" ${counts}>\n${cases.join("")}  </testsuite>\n`;
}

function testCase({ finding, suppressed }: ReportedFinding): string {
  const { source, start } = finding.place;
  const { line, column } = positionAt(source, start);
  const name = `${finding.rule} ${source.path}:${line}:${column}`;
  const open = `    <testcase classname="${escapeXml(finding.rule)}" name="${escapeXml(name)}" file="${escapeXml(source.path)}" line="${line}">`;
  if (suppressed !== null) return `${open}<skipped message="${escapeXml(suppressed.reason)}"/></testcase>\n`;
  const text = [`${source.path}:${line}:${column}`, finding.message, ...finding.notes].join("\n");
  return `${open}<failure type="${finding.severity}" message="${escapeXml(finding.message)}">${escapeXml(text)}</failure></testcase>\n`;
}

function failedToRead(path: string, error: string): string {
  return `    <testcase classname="${escapeXml(path)}" name="read"><error message="${escapeXml(error)}"/></testcase>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Control characters are written out by visible, so XML 1.0 takes all that is left. */
function escapeXml(latin1: string): string {
  const lines = latin1.split("\n").map(visible);
  return lines.join("\n").replaceAll(/[&<>"']|[\uFFFE\uFFFF]/g, (character) => ENTITIES[character] ?? "?");
}
