/** SARIF 2.1.0 (OASIS), for code scanning: rules with their documentation, fixes, related places, fingerprints. */
import type { Finding, Rule, Severity } from "../lint/rule.ts";
import { type Place, positionAt } from "../source/source.ts";
import { fingerprinted } from "./fingerprint.ts";
import { jsonPieces, pathText, recordsOf } from "./json.ts";
import { judgedTexts } from "./judged.ts";
import { type AuditReport, assumedTexts, type ReportedEdit, type ReportedFinding } from "./report.ts";
import { visible } from "./text.ts";

const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

const LEVEL: Readonly<Record<Severity, string>> = {
  error: "error",
  high: "error",
  medium: "warning",
  low: "note",
  info: "note",
};
/** What code scanning sorts by: CVSS-like, as text. */
const SECURITY_SEVERITY: Readonly<Record<Severity, string>> = {
  error: "5.0",
  high: "8.0",
  medium: "5.5",
  low: "3.0",
  info: "1.0",
};

export function sarif(report: AuditReport, rules: readonly Rule[]): Iterable<string> {
  const index = new Map(rules.map(({ id }, position) => [id, position]));
  const failed = report.targets.flatMap(({ error }) => (error === null ? [] : [error]));
  const incomplete = report.targets.flatMap(({ limits }) => limits);
  const assumed = new Set(report.targets.flatMap(assumedTexts));
  const log = {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: report.tool.name,
            semanticVersion: report.tool.version,
            rules: rules.map(ruleSarif),
          },
        },
        columnKind: "utf16CodeUnits",
        properties: { judged: judgedTexts(report.targets).map(visible) },
        invocations: [
          {
            executionSuccessful: failed.length === 0 && incomplete.length === 0,
            toolExecutionNotifications: [
              ...[...failed, ...incomplete].map((text) => notificationSarif("error", text)),
              ...[...assumed].map((text) => notificationSarif("note", text)),
            ],
          },
        ],
        results: recordsOf(fingerprinted(report.targets), ([one, fingerprint]) =>
          resultSarif(one, index.get(one.finding.rule) ?? -1, fingerprint),
        ),
      },
    ],
  };
  return jsonPieces(log);
}

function notificationSarif(level: "error" | "note", text: string): object {
  return { level, message: { text: visible(text) } };
}

function ruleSarif({ id, title, severity, docs }: Rule): object {
  return {
    id,
    name: id.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: title },
    fullDescription: { text: docs.what },
    help: {
      text: `${docs.what}\n\n${docs.why}\n\n${docs.fix}`,
      markdown: `${docs.what}\n\n**Why it matters.** ${docs.why}\n\n**Who is affected.** ${docs.who}\n\n**Fix.** ${docs.fix}\n\n**When to allow it.** ${docs.allowWhen}`,
    },
    defaultConfiguration: { level: LEVEL[severity] },
    properties: { tags: ["security"], "security-severity": SECURITY_SEVERITY[severity] },
  };
}

function resultSarif(reported: ReportedFinding, ruleIndex: number, fingerprint: string): object {
  const { finding, edits, suppressed } = reported;
  return {
    ruleId: finding.rule,
    ruleIndex,
    level: LEVEL[finding.severity],
    message: { text: messageText(finding) },
    locations: [{ physicalLocation: locationSarif(finding.place) }],
    ...(finding.related.length === 0
      ? {}
      : {
          relatedLocations: finding.related.map(({ place, note }, id) => ({
            id,
            physicalLocation: locationSarif(place),
            message: { text: visible(note) },
          })),
        }),
    partialFingerprints: { "sshdPolicyFinding/v1": fingerprint },
    ...(edits === null || edits.length === 0 || finding.fix === null
      ? {}
      : { fixes: [fixSarif(finding.fix.title, finding, edits)] }),
    ...(suppressed === null
      ? {}
      : { suppressions: [{ kind: "inSource", justification: visible(suppressed.reason) }] }),
    properties: { severity: finding.severity, safety: finding.fix?.safety ?? "none" },
  };
}

function messageText({ message, notes }: Finding): string {
  return [message, ...notes].map(visible).join("\n");
}

function locationSarif(place: Place): object {
  return { artifactLocation: { uri: uriOf(place.source.path) }, region: regionOf(place) };
}

/** Columns count UTF-16 units of the text as it is shown; offsets count bytes. */
function regionOf(place: Place): object {
  const { source } = place;
  const start = positionAt(source, place.start);
  const end = positionAt(source, place.end);
  return {
    startLine: start.line,
    startColumn: columnOf(source.text, start.offset, start.column),
    endLine: end.line,
    endColumn: columnOf(source.text, end.offset, end.column),
    byteOffset: place.start,
    byteLength: place.end - place.start,
  };
}

function columnOf(text: string, offset: number, byteColumn: number): number {
  const before = text.slice(offset - (byteColumn - 1), offset);
  return Buffer.from(before, "latin1").toString("utf8").length + 1;
}

function fixSarif(title: string, { place }: Finding, edits: readonly ReportedEdit[]): object {
  const files = [...new Set(edits.map(({ path }) => path))];
  return {
    description: { text: title },
    artifactChanges: files.map((path) => ({
      artifactLocation: { uri: uriOf(path) },
      replacements: edits
        .filter((edit) => edit.path === path)
        .map(({ start, end, text }) => ({
          deletedRegion:
            path === place.source.path
              ? regionOf({ source: place.source, start, end })
              : { byteOffset: start, byteLength: end - start },
          ...(text === "" ? {} : { insertedContent: { text: Buffer.from(text, "latin1").toString("utf8") } }),
        })),
    })),
  };
}

/** Relative where the user wrote it so, which is what code scanning needs; each part percent-encoded. */
function uriOf(path: string): string {
  const text = pathText(path).replace(/^\.\//, "");
  const encoded = text.split("/").map(encodeURIComponent).join("/");
  return text.startsWith("/") ? `file://${encoded}` : encoded;
}
