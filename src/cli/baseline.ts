/** A baseline: findings of an earlier day that are not to be reported again (--write-baseline, --baseline). */
import { writeFileSync } from "node:fs";
import { exceptionsOf, fingerprinted } from "../report/fingerprint.ts";
import { jsonText, pathText } from "../report/json.ts";
import type { AuditReport, TargetReport } from "../report/report.ts";
import { readOwnFile } from "./own-file.ts";
import { systemReason } from "./system-reason.ts";

/** Writes what is open now; the reason when that fails. */
export function writeBaseline(report: AuditReport, path: string): string | null {
  const findings = fingerprinted(openIn(report)).map(([reported, fingerprint]) => ({
    rule: reported.finding.rule,
    file: pathText(reported.finding.place.source.path),
    fingerprint,
    except: exceptionsOf(reported),
  }));
  try {
    writeFileSync(path, jsonText({ version: 1, findings }));
    return null;
  } catch (error) {
    return `the baseline ${path} cannot be written: ${systemReason(error)}`;
  }
}

function openIn({ targets }: AuditReport): readonly Pick<TargetReport, "findings">[] {
  return targets.map(({ findings }) => ({
    findings: findings.filter(({ suppressed }) => suppressed === null),
  }));
}

/** Who was excepted, by fingerprint, in each target that has such a finding; null: nobody can say. */
type Known = ReadonlyMap<string, readonly (readonly string[] | null)[]>;

/** The findings of a baseline, or what is wrong with it. */
export function readBaseline(path: string): Known | string {
  try {
    const document: unknown = JSON.parse(readOwnFile(path).toString("utf8"));
    return knownOf(document) ?? `${path} is no baseline of sshd-policy: write one with --write-baseline`;
  } catch (error) {
    return `the baseline ${path} cannot be read: ${systemReason(error)}`;
  }
}

function knownOf(document: unknown): Known | null {
  if (typeof document !== "object" || document === null || !("findings" in document)) return null;
  if (!("version" in document) || document.version !== 1 || !Array.isArray(document.findings)) return null;
  const findings: readonly unknown[] = document.findings;
  const known = new Map<string, (readonly string[] | null)[]>();
  for (const finding of findings) {
    if (typeof finding !== "object" || finding === null || !("fingerprint" in finding)) continue;
    const except = "except" in finding && Array.isArray(finding.except) ? finding.except.map(String) : null;
    const fingerprint = String(finding.fingerprint);
    known.set(fingerprint, [...(known.get(fingerprint) ?? []), except]);
  }
  return known;
}

/** The report with the findings of the baseline held back; one that leaves out fewer people than it did is not. */
export function applyBaseline(report: AuditReport, known: Known, path: string): AuditReport {
  const held = new Set(
    fingerprinted(openIn(report)).flatMap(([reported, fingerprint]) => {
      const all = known.get(fingerprint) ?? [];
      const now = all.length === 0 ? null : exceptionsOf(reported);
      return now !== null && all.some((before) => before !== null && isSubset(before, now)) ? [reported] : [];
    }),
  );
  const suppressed = { reason: `in the baseline ${path}`, until: null };
  return {
    ...report,
    targets: report.targets.map((target) => ({
      ...target,
      findings: target.findings.map((reported) =>
        held.has(reported) ? { ...reported, suppressed } : reported,
      ),
    })),
  };
}

function isSubset(some: readonly string[], all: readonly string[]): boolean {
  const known = new Set(all);
  return some.every((text) => known.has(text));
}
