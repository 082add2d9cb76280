/** The audit as one JSON document, version 1. */
import type { Finding } from "../lint/rule.ts";
import { type Place, type Position, positionAt } from "../source/source.ts";
import {
  type AuditReport,
  countFindings,
  type ReportedEdit,
  type ReportedFinding,
  type TargetReport,
} from "./report.ts";
import { inAscii, OUTSIDE_ASCII } from "./text.ts";

export function json(report: AuditReport): Iterable<string> {
  return jsonPieces({
    version: 1,
    tool: report.tool,
    targets: report.targets.map(targetJson),
    summary: { findings: countFindings(report.targets), fixed: report.fixed },
  });
}

/** Records of a document (findings, regions), each the JSON of an object, made when its line is written. */
export interface Records {
  readonly records: Iterable<string>;
}

export function recordsOf<Item>(items: readonly Item[], toJson: (item: Item) => object): Records {
  return writtenRecords(items, (item) => JSON.stringify(toJson(item)));
}

/** Where records have parts in common, whose JSON `write` makes once. */
export function writtenRecords<Item>(items: readonly Item[], write: (item: Item) => string): Records {
  function* made(): Iterable<string> {
    for (const item of items) yield write(item);
  }
  return { records: made() };
}

/**
 * A document for people with grep and diff, and for streams: a field or an item of a list is a line, and so is each
 * record; only what holds records is laid out further. Every character outside ASCII is written as an escape: some of
 * those are commands to a terminal. The pieces are parts of the text, in order.
 */
export function* jsonPieces(document: object): Iterable<string> {
  let piece = "";
  for (const text of laidOut(document, "\n")) {
    piece += text;
    if (piece.length < PIECE) continue;
    yield inAscii(piece);
    piece = "";
  }
  yield inAscii(`${piece}\n`);
}

export function jsonText(document: object): string {
  return [...jsonPieces(document)].join("");
}

/** Characters; a write for each takes no time worth counting. */
const PIECE = 65_536;

/** `newline`: with the indentation of what lies around it. */
function* laidOut(object: object, newline: string): Iterable<string> {
  let before = "{";
  for (const [field, value] of Object.entries(object)) {
    if (value === undefined) continue;
    yield `${before}${newline}  ${JSON.stringify(field)}: `;
    before = ",";
    if (isRecords(value) || isListOfObjects(value)) yield* listed(value, `${newline}  `);
    else yield JSON.stringify(value);
  }
  yield `${newline}}`;
}

function* listed(list: Records | readonly object[], newline: string): Iterable<string> {
  let before = "[";
  for (const item of isRecords(list) ? list.records : list) {
    const start = `${before}${newline}  `;
    before = ",";
    if (typeof item === "string") yield start + item;
    else if (!Object.values(item).some(isRecords)) yield start + JSON.stringify(item);
    else {
      yield start;
      yield* laidOut(item, `${newline}  `);
    }
  }
  yield before === "[" ? "[]" : `${newline}]`;
}

/** Any other field is one line, as a list of words is. */
function isListOfObjects(value: unknown): value is readonly object[] {
  if (!Array.isArray(value)) return false;
  const items: readonly unknown[] = value;
  return items.every((item) => typeof item === "object" && item !== null);
}

function isRecords(value: unknown): value is Records {
  return typeof value === "object" && value !== null && "records" in value;
}

function targetJson(target: TargetReport): object {
  const { openssh, opensshSource, otherReadings, accounts, assumptions } = target;
  const { complete, limits, error, absent, skipped } = target;
  const findings = recordsOf(target.findings, findingJson);
  const path = pathText(target.path);
  const policy =
    target.policyFile === null
      ? {}
      : { policyFile: { ...target.policyFile, path: pathText(target.policyFile.path) } };
  return {
    path,
    openssh,
    opensshSource,
    otherReadings,
    accounts,
    assumptions,
    ...policy,
    complete,
    limits,
    error,
    absent,
    ...(skipped === null ? {} : { skipped }),
    findings,
  };
}

function findingJson({ finding, edits, suppressed, layer }: ReportedFinding): object {
  const { rule, severity, message, witness, capability, login, notes } = finding;
  return {
    rule,
    severity,
    message,
    ...placeJson(finding.place),
    related: finding.related.map(({ place, note }) => ({ ...placeJson(place), note })),
    witness: witness === null ? null : connectionJson(witness),
    capability,
    login,
    notes,
    fix: fixJson(finding, edits),
    suppressed,
    layer,
  };
}

function fixJson({ fix, breaks }: Finding, edits: readonly ReportedEdit[] | null): object | null {
  if (fix === null) return null;
  const { safety, title } = fix;
  return { safety, title, breaks, edits: (edits ?? []).map(editJson) };
}

export function placeJson({ source, start, end }: Place): { file: string; start: Position; end: Position } {
  return {
    file: pathText(source.path),
    start: positionAt(source, start),
    end: positionAt(source, end),
  };
}

function editJson({ path, start, end, text }: ReportedEdit): object {
  return { file: pathText(path), start, end, text };
}

/** `invalidUser` only where it is true: the contract's fields stay together. */
export function connectionJson(connection: NonNullable<ReportedFinding["finding"]["witness"]>): object {
  const { user, groups, host, addr, laddr, lport, rdomain, invalidUser } = connection;
  // undefined is not written
  return { user, groups, host, addr, laddr, lport, rdomain, invalidUser: invalidUser || undefined };
}

/** Paths are bytes inside; a script gets them as the file system shows them. */
export function pathText(path: string): string {
  if (!OUTSIDE_ASCII.test(path)) return path;
  return Buffer.from(path, "latin1").toString("utf8");
}
