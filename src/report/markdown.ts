/** Markdown for a job summary or a pull-request comment. */
import { positionAt } from "../source/source.ts";
import { excerpt } from "./excerpt.ts";
import { byWhat } from "./judged.ts";
import {
  type AuditReport,
  assumedTexts,
  countFindings,
  type ReportedFinding,
  type TargetReport,
} from "./report.ts";
import { visible } from "./text.ts";

export function markdown(report: AuditReport): string {
  const counts = Object.entries(countFindings(report.targets)).filter(([, count]) => count > 0);
  const head =
    counts.length === 0
      ? "No findings."
      : `${counts.map(([severity, count]) => `**${count} ${severity}**`).join(", ")}`;
  return `## sshd-policy\n\n${head}\n\n${report.targets.map(targetMarkdown).join("\n")}`;
}

function targetMarkdown(target: TargetReport): string {
  const title = `### ${code(target.path)}\n\n`;
  if (target.error !== null) return `${title}Not read: ${plain(target.error)}\n`;
  const open = target.findings.filter(({ suppressed }) => suppressed === null);
  const others = [...target.otherReadings, ...assumedTexts(target)]
    .map((text) => ` ${plain(text)}.`)
    .join("");
  const judged = `Judged ${plain(byWhat(target))}.${others}\n`;
  const incomplete = target.limits.map((limit) => `\n**Not complete:** ${plain(limit)}\n`).join("");
  if (open.length === 0) return `${title}No findings. ${judged}${incomplete}`;
  const rows = open.map(row).join("");
  const details = open.map(detail).join("");
  return `${title}| severity | where | rule | what |\n|---|---|---|---|\n${rows}\n<details><summary>Lines and fixes</summary>\n\n${details}</details>\n\n${judged}${incomplete}`;
}

function row({ finding }: ReportedFinding): string {
  return `| ${finding.severity} | ${code(where(finding.place))} | ${code(finding.rule)} | ${plain(finding.message)} |\n`;
}

function detail({ finding }: ReportedFinding): string {
  const context = finding.related.map(({ place }) => place);
  const lines = excerpt(finding.place, context, finding.label).map(
    ({ number, text }) => `${String(number ?? "").padStart(5)} | ${text}`,
  );
  const notes = finding.notes.map((note) => `- ${plain(note)}\n`).join("");
  const fix = finding.fix === null ? "" : `- fix: ${code(finding.fix.title)} (${finding.fix.safety})\n`;
  const breaks = finding.breaks === null ? "" : `- breaks: ${plain(finding.breaks)}\n`;
  return `${code(where(finding.place))}: ${plain(finding.message)}\n\n${block(lines.join("\n"))}${notes}${fix}${breaks}\n`;
}

function where({ source, start }: ReportedFinding["finding"]["place"]): string {
  const { line, column } = positionAt(source, start);
  return `${source.path}:${line}:${column}`;
}

/**
 * Every character that Markdown or HTML could read is escaped. Forges look for `@name`, `#1` and `www.` in the finished
 * text, too: an empty comment parts them.
 */
function plain(latin1: string): string {
  return visible(latin1)
    .replaceAll(/[\\`*_{}[\]()<>#+!|~&@:-]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(/&#(?:35|64);/g, "$&<!-- -->")
    .replaceAll(/www(?=\.)/gi, "$&<!-- -->");
}

/** A code span whose fence is longer than any run of backquotes inside. */
function code(latin1: string): string {
  const text = visible(latin1).replaceAll("|", "¦");
  const fence = "`".repeat(longestRun(text) + 1);
  const space = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${fence}${space}${text}${space}${fence}`;
}

function block(text: string): string {
  if (text === "") return "";
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}text\n${text}\n${fence}\n\n`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
