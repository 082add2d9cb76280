/** Findings for a person at a terminal: what is wrong, for whom, which line decides, what to do. */
import type { ChalkInstance } from "chalk";
import type { Finding, Severity } from "../lint/rule.ts";
import type { Capability, Connection } from "../policy/connection.ts";
import { formatSpecification } from "../policy/specification.ts";
import { type Position, positionAt } from "../source/source.ts";
import { type ExcerptLine, excerpt } from "./excerpt.ts";
import { isJudged, judgedText } from "./judged.ts";
import {
  type AuditReport,
  assumedTexts,
  countFindings,
  type ReportedEdit,
  type ReportedFinding,
  type ReportedLayer,
  type TargetReport,
} from "./report.ts";
import { counted, shellWord, visible } from "./text.ts";

export interface PrettyOptions {
  readonly paint: ChalkInstance;
  /** findings alone, without the summary */
  readonly quiet?: boolean;
}

export function pretty(report: AuditReport, options: PrettyOptions): string {
  const blocks = report.targets.flatMap((target) =>
    target.findings
      .filter(({ suppressed }) => suppressed === null)
      .map((reported) => findingText(reported, target, options.paint)),
  );
  const end = options.quiet === true ? "" : summaryText(report, options.paint);
  return `${blocks.map((block) => `${block}\n`).join("")}${end}`;
}

function findingText(reported: ReportedFinding, target: TargetReport, paint: ChalkInstance): string {
  const { finding } = reported;
  const { line, column } = positionAt(finding.place.source, finding.place.start);
  const severity = colours(paint)[finding.severity];
  const head = `${paint.bold(visible(`${finding.place.source.path}:${line}:${column}`))}  ${severity(finding.severity)}  ${finding.rule}`;
  const context = finding.related.map(({ place }) => place);
  const lines = [
    head,
    `  ${visible(finding.message)}`,
    ...excerpt(finding.place, context, finding.label).map((shown) => excerptText(shown, severity, paint)),
    ...rows(reported, target).map(([name, text]) => `  ${paint.dim(name.padEnd(8))} ${visible(text)}`),
  ];
  return lines.map((text) => `${text}\n`).join("");
}

function colours(paint: ChalkInstance): Readonly<Record<Severity, ChalkInstance>> {
  return {
    error: paint.red.bold,
    high: paint.red,
    medium: paint.yellow,
    low: paint.cyan,
    info: paint.blue,
  };
}

function excerptText(
  { number, text, role }: ExcerptLine,
  colour: ChalkInstance,
  paint: ChalkInstance,
): string {
  const gutter = `${String(number ?? "").padStart(7)} ${role === "gap" ? ":" : "|"} `;
  if (role === "gap") return paint.dim(gutter.trimEnd());
  return `${paint.dim(gutter)}${role === "carets" ? colour(text) : text}`.trimEnd();
}

/** The rows below the excerpt, each with its name. */
function rows(
  { finding, edits, layer }: ReportedFinding,
  target: TargetReport,
): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  if (finding.witness !== null) {
    found.push(["witness", witnessText(finding.witness, finding.grant)]);
    found.push(["check", checkText(finding.witness, finding.capability, target)]);
  }
  for (const text of relatedTexts(finding)) found.push(["note", text]);
  for (const note of finding.notes) found.push(["note", note]);
  if (layer !== null) found.push(["layer", layerText(layer)]);
  if (finding.fix === null) return found;
  found.push(["fix", fixText(finding.fix, edits, finding)]);
  if (finding.breaks !== null) found.push(["breaks", finding.breaks]);
  return found;
}

/** Lines of which the same is said are told together: "lines 19, 20 and 31: ignored, too". */
function relatedTexts({ place: own, related }: Finding): string[] {
  const linesOf = new Map<string, number[]>();
  const names = related.map(({ place, note }) => {
    const { line } = positionAt(place.source, place.start);
    if (place.source !== own.source) return `${place.source.path}:${line}: ${note}`;
    linesOf.set(note, [...(linesOf.get(note) ?? []), line]);
    return note;
  });
  return [...new Set(names)].map((text) => {
    const lines = linesOf.get(text);
    if (lines === undefined) return text;
    return `${lines.length === 1 ? "line" : "lines"} ${lines.join(", ")}: ${text}`;
  });
}

/** "layer 2 of 3 (sha256:0123456789ab): RUN sed …" */
function layerText({ index, count, digest, command }: ReportedLayer): string {
  const name = digest === null ? "" : ` (${digest.slice(0, "sha256:".length + 12)})`;
  return `${index + 1} of ${count}${name}${command === null ? "" : `: ${command}`}`;
}

function witnessText(witness: Connection, grant: string): string {
  const groups =
    witness.groups === null || witness.groups.length === 0 ? "" : ` (in ${witness.groups.join(", ")})`;
  const port = witness.lport === null || witness.lport === 22 ? "" : ` to port ${witness.lport}`;
  return `user=${witness.user ?? ""}${groups} from ${witness.addr ?? "anywhere"}${port}${grant === "" ? "" : `: ${grant}`}`;
}

/** The keyword that a reader should look at in the output of `sshd -T`. */
const KEYWORD_OF: Readonly<Record<Capability, string>> = {
  "tcp-local": "allowtcp",
  "tcp-remote": "allowtcp",
  "unix-local": "allowstreamlocal",
  "unix-remote": "allowstreamlocal",
  tun: "permittunnel",
  x11: "x11forwarding",
  agent: "allowagent",
};

function checkText(witness: Connection, capability: Capability | null, target: TargetReport): string {
  const command = `${target.checkCommand} -C ${shellWord(formatSpecification(witness))}`;
  return capability === null ? command : `${command} | grep -i ${KEYWORD_OF[capability]}`;
}

function fixText(
  fix: NonNullable<Finding["fix"]>,
  edits: readonly ReportedEdit[] | null,
  finding: Finding,
): string {
  const why =
    fix.safety === "safe" ? "safe, --fix does it" : `unsafe, ${fix.because}: --unsafe-fixes does it`;
  const what = edits === null || edits.length !== 1 ? null : editText(edits[0], finding);
  return `${what ?? `"${fix.title}"`} (${why})`;
}

/** "line 88 becomes …", or where the new line goes. Only edits in the finding's own file can be shown so. */
function editText(edit: ReportedEdit | undefined, finding: Finding): string | null {
  const { source } = finding.place;
  if (edit === undefined || edit.path !== source.path) return null;
  const at: Position = positionAt(source, edit.start);
  const inserted = edit.start === edit.end ? edit.text.replace(/^\r?\n|\r?\n$/g, "") : null;
  const wholeLine = inserted !== null && /\n/.test(edit.text);
  if (wholeLine)
    return `a new line ${at.line + (/^\r?\n/.test(edit.text) ? 1 : 0)}: "${asOneLine(inserted)}"`;
  const lineStart = source.lineStarts[at.line - 1] ?? 0;
  const lineEnd = (source.lineStarts[at.line] ?? source.text.length + 1) - 1;
  if (edit.end > lineEnd) return null;
  const changed = source.text.slice(lineStart, edit.start) + edit.text + source.text.slice(edit.end, lineEnd);
  return `line ${at.line} becomes "${cutAround(asOneLine(changed), edit.start - lineStart)}"`;
}

/** As much as a list of many places has; of longer lines what is around the edit. */
const WIDTH = 200;

function cutAround(text: string, column: number): string {
  if (text.length <= WIDTH) return text;
  const from = column > WIDTH / 2 ? column - WIDTH / 10 : 0;
  const end = from + WIDTH;
  return `${from > 0 ? "..." : ""}${text.slice(from, end)}${end < text.length ? "..." : ""}`;
}

function asOneLine(text: string): string {
  return text.replace(/^[ \t]+|[ \t\r]+$/g, "").replaceAll(/\t+/g, " ");
}

function summaryText(report: AuditReport, paint: ChalkInstance): string {
  const counts = countFindings(report.targets);
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  const total = parts.reduce((sum, [, count]) => sum + count, 0);
  const lines: string[] = report.fixed > 0 ? [`fixed ${counted(report.fixed, "finding")}`] : [];
  if (total > 0) {
    const kinds = parts.map(([severity, count]) => `${count} ${severity}`).join(", ");
    lines.push(paint.bold(`${counted(total, "finding")}: ${kinds}${fixableText(report)}`));
    lines.push(`"sshd-policy rules ID" explains a rule`);
  } else if (report.targets.some(isJudged)) lines.push(report.fixed > 0 ? "nothing is left" : "no findings");
  const judged = report.targets.filter(isJudged);
  const texts = [
    ...judged.flatMap((target) => [`${judgedText(target)}${limitsText(target)}`, ...target.otherReadings]),
    ...judged.flatMap(assumedTexts),
  ];
  return [...lines, ...[...new Set(texts)].map(visible)].map((line) => `${line}\n`).join("");
}

function fixableText(report: AuditReport): string {
  const open = report.targets
    .flatMap(({ findings }) => findings)
    .filter(({ suppressed }) => suppressed === null);
  const safe = open.filter(({ finding }) => finding.fix?.safety === "safe").length;
  const unsafe = open.filter(({ finding }) => finding.fix?.safety === "unsafe").length;
  const parts: string[] = [];
  if (safe > 0) parts.push(`${safe} can be fixed with --fix`);
  if (unsafe > 0) parts.push(`${unsafe}${safe > 0 ? " more" : " can be fixed"} with --unsafe-fixes`);
  return parts.length === 0 ? "" : `; ${parts.join(", ")}`;
}

function limitsText({ complete, limits }: TargetReport): string {
  return complete ? "" : `; not complete: ${limits.join("; ")}`;
}
