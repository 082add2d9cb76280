/** What reporters turn into text: the findings of all targets, as data. */

import type { Finding, Severity } from "../lint/rule.ts";
import type { Answer } from "../policy/answer.ts";

export interface AuditReport {
  readonly tool: Tool;
  readonly targets: readonly TargetReport[];
  /** how many findings a fix has closed in this run */
  readonly fixed: number;
}

export interface Tool {
  readonly name: string;
  readonly version: string;
}

export interface TargetReport {
  /** as the user named it */
  readonly path: string;
  readonly openssh: string;
  readonly opensshSource: string;
  /** what other releases would make of the configuration, where nobody knows which one it is */
  readonly otherReadings: readonly string[];
  /** who may exist, for people: "anybody may exist (--accounts open)" */
  readonly accounts: string;
  /** what the answers take for granted beside that: "there are no routing domains (no VRF)" */
  readonly assumptions: readonly string[];
  /** the policy file that it was judged by, and the rules that it switches off; null without one */
  readonly policyFile: PolicyFileReport | null;
  /** findings from this severity on make the run fail */
  readonly failOn: Severity;
  readonly complete: boolean;
  readonly limits: readonly string[];
  /** "sshd -T" or another command to which `-C SPEC` is appended to check a witness by hand */
  readonly checkCommand: string;
  /** why there is nothing to judge: no sshd is there; null where one is */
  readonly absent: string | null;
  /** the same of a repository's file that is not audited, for scripts; null where it is none */
  readonly skipped: Skipped | null;
  /** why the target could not be read; null when it was */
  readonly error: string | null;
  readonly findings: readonly ReportedFinding[];
  /** who can forward, for reporters that show it */
  readonly answers: readonly Answer[];
}

export type Skipped =
  /** "Jinja" */
  | { readonly kind: "template"; readonly language: string }
  /** in what is no sshd_config; `keyword`: null where it is encoded */
  | { readonly kind: "settings"; readonly line: number; readonly keyword: string | null }
  /** of what leads out of the repository */
  | { readonly kind: "include"; readonly line: number; readonly pattern: string }
  | { readonly kind: "link" }
  | { readonly kind: "too-large" };

/** For people. */
export function assumedTexts({ assumptions }: TargetReport): readonly string[] {
  return assumptions.map((text) => `assumed: ${text}`);
}

export interface PolicyFileReport {
  readonly path: string;
  readonly off: readonly { readonly rule: string; readonly reason: string }[];
}

export interface ReportedFinding {
  readonly finding: Finding;
  /** the bytes that the finding's fix would change; null without a fix */
  readonly edits: readonly ReportedEdit[] | null;
  readonly suppressed: { readonly reason: string; readonly until: string | null } | null;
  /** of an image: the layer that wrote the line that the finding is about */
  readonly layer: ReportedLayer | null;
}

export interface ReportedLayer {
  /** the place among all layers, from 0 */
  readonly index: number;
  readonly count: number;
  readonly digest: string | null;
  readonly diffId: string | null;
  /** what the image's history says made it */
  readonly command: string | null;
}

/** Offsets in bytes into the original file. */
export interface ReportedEdit {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export type SeverityCounts = Readonly<Record<Severity, number>>;

/** Findings that are not suppressed, by severity. */
export function countFindings(targets: readonly TargetReport[]): SeverityCounts {
  const counts = { error: 0, high: 0, medium: 0, low: 0, info: 0 };
  for (const { findings } of targets) {
    for (const { finding, suppressed } of findings) if (suppressed === null) counts[finding.severity] += 1;
  }
  return counts;
}
