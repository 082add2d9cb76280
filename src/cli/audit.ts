/** `audit`: rules over configurations, findings out. */
import type { Config, ConfigFile } from "../config/config.ts";
import type { Intent } from "../lint/intent.ts";
import { movedReport, namesFile } from "../report/moved.ts";
import { renamedReport, textsOf } from "../report/renamed.ts";
import type { AuditReport, TargetReport } from "../report/report.ts";
import { visible } from "../report/text.ts";
import { type Alike, noKinds, readsNothingElse } from "./alike.ts";
import { describe, withoutFindings } from "./describe-target.ts";
import { exitCode } from "./exit-code.ts";
import { findingsOf } from "./findings.ts";
import { complain, complainOfLimits, refuse, renderAudit, writeAnswer } from "./output.ts";
import { withNames } from "./own-names.ts";
import { namesSetting } from "./own-settings.ts";
import { type AuditCommandOptions, type Judging, type Prepared, prepareAudit } from "./prepare-audit.ts";
import { openCounter } from "./progress-count.ts";
import type { Absent, Target, Unreadable } from "./target.ts";
import { ownVersion } from "./version.ts";

export async function runAudit(files: readonly string[], options: AuditCommandOptions): Promise<number> {
  const audited = await auditAll(files, options);
  if ("misuse" in audited) return misused(audited);
  const tool = { name: "sshd-policy", version: ownVersion() };
  const report: AuditReport = { tool, targets: audited.targets, fixed: 0 };
  const compared = await withBaseline(report, options);
  return typeof compared === "string" ? refuse(compared) : finish(compared, options);
}

type Audited = { readonly targets: readonly TargetReport[] } | { readonly misuse: string };

/** In this thread, or with --jobs in several: a call of few files is not worth a second one. */
async function auditAll(files: readonly string[], options: AuditCommandOptions): Promise<Audited> {
  const { jobs = 1, repo } = options;
  const counter = openCounter(options);
  try {
    const many = options.image?.length ?? files.length;
    if (jobs < 2 || files.includes("-") || (many < 2 && repo === undefined))
      return await auditTargets(files, options, counter.count);
    const { auditInWorkers } = await import("./jobs.ts");
    if (repo === undefined)
      return await auditInWorkers({ files, options }, Math.min(jobs, many), counter.count);
    const { listRepository, withinRepository } = await import("./repository.ts");
    const listed = listRepository(files, { ...options, repo });
    if ("misuse" in listed) return listed;
    const { plain, others } = listed;
    const audited =
      plain.length === 0
        ? { targets: [] }
        : await auditInWorkers({ files: plain, options: withinRepository(options) }, jobs, counter.count);
    if ("misuse" in audited) return audited;
    return { targets: [...audited.targets, ...others.map(withoutFindings)] };
  } finally {
    counter.close();
  }
}

/** `count` is told of each target that is done, and how many there are. */
export async function auditTargets(
  files: readonly string[],
  options: AuditCommandOptions,
  count: (done: number, of: number) => void,
): Promise<Audited> {
  const isOne = files.length < 2 && options.repo === undefined;
  const prepared = await prepareAudit(files, isOne ? options : { ...options, kinds: noKinds() });
  if ("misuse" in prepared) return prepared;
  const { opened } = prepared;
  const known: Known = new Map();
  const targets = opened.map((one) => {
    const report = auditTarget(one, known);
    count(1, opened.length);
    return report;
  });
  return { targets };
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
  for (const { error, absent } of report.targets) {
    complainOf(error);
    if (absent !== null) complain(visible(absent));
  }
  complainOfLimits(report.targets, options);
  const failed = writeAnswer(await renderAudit(report, options), options);
  return failed !== null ? refuse(failed) : exitCode(report);
}

/** Wrong usage: the exit code. */
export function misused({ misuse }: { readonly misuse: string }): number {
  complainOf(misuse);
  return 2;
}

/** The mistakes of a policy file are a line each. */
export function complainOf(error: string | null): void {
  for (const line of error?.split("\n") ?? []) complain(visible(line));
}

/** The reports of files that others may be alike to, by their kind and what they were judged by. */
type Known = Map<symbol, Map<Intent | null, First>>;

/** The first file of a kind, and the same file with stand-ins for its names; null: nobody has asked yet. */
interface First {
  readonly alike: Alike;
  readonly own: Movable;
  nameless: Movable | "differs" | null;
}

interface Movable {
  readonly report: TargetReport;
  /** null: it read other files, too */
  readonly main: Main | null;
  /** null: nobody has asked yet */
  mayMove: boolean | null;
}

/** Of the file itself: its whole tree would keep much memory. */
type Main = Pick<ConfigFile, "source" | "realPath">;

function auditTarget(prepared: Prepared | Unreadable | Absent, known: Known): TargetReport {
  if (!("target" in prepared)) return withoutFindings(prepared);
  const { target, judging } = prepared;
  const { alike } = target;
  if (alike === null) return judged(target, judging).report;
  const reports = known.get(alike.kind) ?? new Map<Intent | null, First>();
  known.set(alike.kind, reports);
  const first = reports.get(judging.intent);
  const moved = first === undefined ? null : movedTo(target, alike, first, judging);
  if (moved !== null) return moved;
  const own = judged(target, judging);
  reports.set(judging.intent, { alike, own, nameless: first?.nameless ?? null });
  return own.report;
}

function judged(target: Target, judging: Judging): Movable {
  // the spread reads the file: for this audit it is there, and gone behind it
  const read: Target = { ...target };
  const { config } = read;
  const report = describe(read, config, findingsOf(read, config, judging), judging);
  return { report, main: mainOf(config), mayMove: null };
}

function mainOf(config: Config): Main | null {
  const [main] = config.files;
  return main === undefined || !readsNothingElse(config)
    ? null
    : { source: main.source, realPath: main.realPath };
}

/** Null where the report is that file's alone. */
function movedTo(target: Target, alike: Alike, first: First, judging: Judging): TargetReport | null {
  const { names } = alike;
  if (areSame(names, first.alike.names)) return moved(first.own, target, alike);
  // a policy file has names of its own
  if (judging.intent !== null || !mayMove(first.own)) return null;
  first.nameless ??= judgedNameless(first, judging);
  if (first.nameless === "differs") return null;
  const report = moved(first.nameless, target, alike);
  return report && renamedReport(report, (text) => withNames(text, names));
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((name, index) => name === others[index]);
}

/** Trusted where it says of the first file, with its names, letter for letter what is said of the file itself. */
function judgedNameless({ alike, own }: First, judging: Judging): Movable | "differs" {
  const nameless = judged(alike.nameless(), judging);
  const named = renamedReport(nameless.report, (text) => withNames(text, alike.names));
  return textsOf(named) === textsOf(own.report) ? nameless : "differs";
}

function moved(movable: Movable, { name, checkCommand }: Target, { source }: Alike): TargetReport | null {
  const { report, main } = movable;
  if (main === null || !mayMove(movable)) return null;
  return movedReport(report, main.source, source(), { path: name, checkCommand });
}

function mayMove(movable: Movable): boolean {
  const { report, main } = movable;
  movable.mayMove ??= main !== null && !namesFile(report, main) && !namesSetting(report, main.source);
  return movable.mayMove;
}
