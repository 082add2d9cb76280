/** The audit as one JSON document, version 1. */
import { type Fix, whatBreaks } from "../lint/fixes.ts";
import { type Place, type Position, positionAt } from "../source/source.ts";
import {
  type AuditReport,
  countFindings,
  type ReportedEdit,
  type ReportedFinding,
  type TargetReport,
} from "./report.ts";

export function json(report: AuditReport): string {
  const document = {
    version: 1,
    tool: report.tool,
    targets: report.targets.map(targetJson),
    summary: { findings: countFindings(report.targets), fixed: report.fixed },
  };
  return jsonText(document);
}

/** A document with every character outside ASCII written as an escape: some of those are commands to a terminal. */
export function jsonText(document: object): string {
  const text = JSON.stringify(document, null, 2);
  const isPlain = Buffer.byteLength(text) === text.length && !text.includes("\u007f");
  return `${isPlain ? text : text.replaceAll(/[\u007f-\uffff]/g, escaped)}\n`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function targetJson(target: TargetReport): object {
  const { openssh, opensshSource, otherReadings, accounts, complete, limits, error, absent } = target;
  const findings = target.findings.map(findingJson);
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
    ...policy,
    complete,
    limits,
    error,
    absent,
    findings,
  };
}

function findingJson({ finding, edits, suppressed, layer }: ReportedFinding): object {
  const { rule, severity, message, witness, capability, login, notes, fix } = finding;
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
    fix: fix === null ? null : fixJson(fix, edits),
    suppressed,
    layer,
  };
}

function fixJson(fix: Fix, edits: readonly ReportedEdit[] | null): object {
  const { safety, title } = fix;
  return { safety, title, breaks: whatBreaks(fix), edits: (edits ?? []).map(editJson) };
}

export function placeJson({ source, span }: Place): { file: string; start: Position; end: Position } {
  return {
    file: pathText(source.path),
    start: positionAt(source, span.start),
    end: positionAt(source, span.end),
  };
}

function editJson({ path, start, end, text }: ReportedEdit): object {
  return { file: pathText(path), start, end, text };
}

/** `invalidUser` only where it is true: the contract's fields stay together. */
export function connectionJson({
  invalidUser,
  ...fields
}: NonNullable<ReportedFinding["finding"]["witness"]>): object {
  return invalidUser ? { ...fields, invalidUser } : fields;
}

/** Paths are bytes inside; a script gets them as the file system shows them. */
export function pathText(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}
