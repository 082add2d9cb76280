/** JUnit XML: a suite a target, a failed case a finding; one passed case where nothing is found. */
import { positionAt } from "../source/source.ts";
import { isJudged, judgedText } from "./judged.ts";
import { escapeBytes } from "./markup.ts";
import type { AuditReport, ReportedFinding, TargetReport } from "./report.ts";

export function junit(report: AuditReport): string {
  const suites = report.targets.map(suite);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escapeXml(report.tool.name)}">\n${suites.join("")}</testsuites>\n`;
}

function suite(target: TargetReport): string {
  const { path, error, findings } = target;
  const open = findings.filter(({ suppressed }) => suppressed === null);
  const held = findings.length - open.length;
  const cases = [...findings.map(testCase), ...(error === null ? [] : [failedToRead(path, error)])];
  if (cases.length === 0) cases.push(`    <testcase classname="${escapeXml(path)}" name="audit"/>\n`);
  const counts = `tests="${cases.length}" failures="${open.length}" errors="${error === null ? 0 : 1}" skipped="${held}"`;
  return `  <testsuite name="${escapeXml(path)}" ${counts}>\n${judged(target)}${cases.join("")}  </testsuite>\n`;
}

function judged(target: TargetReport): string {
  if (!isJudged(target)) return "";
  return `    <properties><property name="judged" value="${escapeXml(judgedText(target))}"/></properties>\n`;
}

function testCase({ finding, suppressed }: ReportedFinding): string {
  const { source, start } = finding.place;
  const { line, column } = positionAt(source, start);
  const name = `${finding.rule} ${source.path}:${line}:${column}`;
  const open = `    <testcase classname="${escapeXml(finding.rule)}" name="${escapeXml(name)}" file="${escapeXml(source.path)}" line="${line}">`;
  if (suppressed !== null) return `${open}<skipped message="${escapeXml(suppressed.reason)}"/></testcase>\n`;
  const text = escapeLines([`${source.path}:${line}:${column}`, finding.message, ...finding.notes]);
  return `${open}<failure type="${finding.severity}" message="${escapeXml(finding.message)}">${text}</failure></testcase>\n`;
}

function failedToRead(path: string, error: string): string {
  return `    <testcase classname="${escapeXml(path)}" name="read"><error message="${escapeXml(error)}"/></testcase>\n`;
}

/** As escapeXml, on several lines of ours, each of which begins with our own words. */
function escapeLines(lines: readonly string[]): string {
  return lines.map(escapeXml).join("\n");
}

/**
 * Control characters, line breaks too, are written out by visible: XML 1.0 takes all that is left, and no line of the
 * document begins with words of a file or of its name, which a CI log could take for a command.
 */
function escapeXml(latin1: string): string {
  return escapeBytes(latin1).replaceAll(/[\uFFFE\uFFFF]/g, "?");
}
