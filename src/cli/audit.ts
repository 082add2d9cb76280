/** `audit`: rules over configurations, findings out. */
import { conciseTarget } from "../report/concise.ts";
import { judgedTexts } from "../report/judged.ts";
import type { AuditReport, TargetReport } from "../report/report.ts";
import { visible } from "../report/text.ts";
import { type Audited, auditTargets } from "./audit-targets.ts";
import { withoutFindings } from "./describe-target.ts";
import { codeOf, exitCode, worst } from "./exit-code.ts";
import {
  chosenFormat,
  complain,
  complainOfLimits,
  refuse,
  renderAudit,
  tellJudged,
  writeAnswer,
} from "./output.ts";
import type { AuditCommandOptions } from "./prepare-audit.ts";
import { openCounter } from "./progress-count.ts";
import { ownVersion } from "./version.ts";

export async function runAudit(files: readonly string[], options: AuditCommandOptions): Promise<number> {
  if (isToldAtOnce(options)) return await tellAtOnce(files, options);
  const audited = await auditAll(files, options, (report) => report);
  if ("misuse" in audited) return misused(audited);
  const tool = { name: "sshd-policy", version: ownVersion() };
  const report: AuditReport = { tool, targets: audited.targets, fixed: 0 };
  const compared = await withBaseline(report, options);
  return typeof compared === "string" ? refuse(compared) : finish(compared, options);
}

/** Lines that say nothing of other targets need no report that is kept: a thousand of them take longer to keep than to make. */
function isToldAtOnce(options: AuditCommandOptions): boolean {
  const { baseline, writeBaseline } = options;
  return chosenFormat(options) === "concise" && baseline === undefined && writeBaseline === undefined;
}

/** What is left of a report behind its lines. */
interface Told extends Pick<TargetReport, "path" | "error" | "absent" | "limits"> {
  readonly judged: readonly string[];
  readonly text: string;
  readonly code: number;
}

function told(report: TargetReport): Told {
  const { path, error, absent, limits } = report;
  const judged = judgedTexts([report]);
  return { path, error, absent, limits, judged, text: conciseTarget(report), code: codeOf(report) };
}

async function tellAtOnce(files: readonly string[], options: AuditCommandOptions): Promise<number> {
  const audited = await auditAll(files, options, told);
  if ("misuse" in audited) return misused(audited);
  const { targets } = audited;
  complainOfAll(targets, options);
  const failed = writeAnswer(targets.map(({ text }) => text).join(""), options);
  if (failed === null) tellJudged(new Set(targets.flatMap(({ judged }) => judged)), options);
  return failed !== null ? refuse(failed) : worst(targets.map(({ code }) => code));
}

/** In this thread, or with --jobs in several: a call of few files is not worth a second one. */
async function auditAll<Kept>(
  files: readonly string[],
  options: AuditCommandOptions,
  keep: (report: TargetReport) => Kept,
): Promise<Audited<Kept>> {
  const { jobs = 1, repo } = options;
  const counter = openCounter(options);
  try {
    const many = options.image?.length ?? files.length;
    if (jobs < 2 || files.includes("-") || (many < 2 && repo === undefined))
      return await auditTargets(files, options, { count: counter.count, keep });
    const { auditInWorkers } = await import("./jobs.ts");
    if (repo === undefined) {
      const audited = await auditInWorkers({ files, options }, Math.min(jobs, many), counter.count);
      return "misuse" in audited ? audited : { targets: audited.targets.map(keep) };
    }
    const { listRepository, withinRepository } = await import("./repository.ts");
    const listed = listRepository(files, { ...options, repo });
    if ("misuse" in listed) return listed;
    const { plain, others } = listed;
    const audited =
      plain.length === 0
        ? { targets: [] }
        : await auditInWorkers({ files: plain, options: withinRepository(options) }, jobs, counter.count);
    if ("misuse" in audited) return audited;
    return { targets: [...audited.targets, ...others.map(withoutFindings)].map(keep) };
  } finally {
    counter.close();
  }
}

/** Findings of --baseline held back; with --write-baseline all of today's are, after they are written. */
async function withBaseline(
  report: AuditReport,
  options: AuditCommandOptions,
): Promise<AuditReport | string> {
  const { baseline, writeBaseline: written } = options;
  if (baseline === undefined && written === undefined) return report;
  const { applyBaseline, readBaseline, writeBaseline } = await import("./baseline.ts");
  const failed = written === undefined ? null : writeBaseline(report, written);
  if (failed !== null) return failed;
  const path = baseline ?? written ?? "";
  const known = readBaseline(path);
  return typeof known === "string" ? known : applyBaseline(report, known, path);
}

/** Prints the report and gives the exit code. */
export async function finish(report: AuditReport, options: AuditCommandOptions): Promise<number> {
  complainOfAll(report.targets, options);
  const failed = writeAnswer(await renderAudit(report, options), options);
  const isLines = ["concise", "github"].includes(chosenFormat(options));
  if (isLines && failed === null) tellJudged(judgedTexts(report.targets), options);
  return failed !== null ? refuse(failed) : exitCode(report);
}

function complainOfAll(
  targets: readonly Pick<TargetReport, "path" | "error" | "absent" | "limits">[],
  options: AuditCommandOptions,
): void {
  complainOfUnjudged(targets);
  complainOfLimits(targets, options);
}

/** What could not be read, and what there is nothing to judge in. */
export function complainOfUnjudged(targets: readonly Pick<TargetReport, "error" | "absent">[]): void {
  for (const { error, absent } of targets) {
    complainOf(error);
    if (absent !== null) complain(visible(absent));
  }
}

/** Wrong usage: the exit code. */
export function misused({ misuse }: { readonly misuse: string }): number {
  complainOf(misuse);
  return 2;
}

/** The mistakes of a policy file are a line each. */
function complainOf(error: string | null): void {
  for (const line of error?.split("\n") ?? []) complain(visible(line));
}
