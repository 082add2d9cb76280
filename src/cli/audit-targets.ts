/** The reports of targets, one after the other: a file that is alike to an earlier one gets that one's report. */
import type { Config, ConfigFile } from "../config/config.ts";
import type { Intent } from "../lint/intent.ts";
import { movedReport, namesFile } from "../report/moved.ts";
import { renamedReport, textsOf } from "../report/renamed.ts";
import type { TargetReport } from "../report/report.ts";
import { type Alike, type Kind, noKinds, readsNothingElse } from "./alike.ts";
import { describe, withoutFindings } from "./describe-target.ts";
import { findingsOf } from "./findings.ts";
import { withNames } from "./own-names.ts";
import { namesSetting } from "./own-settings.ts";
import { type AuditCommandOptions, type Judging, type Prepared, prepareAudit } from "./prepare-audit.ts";
import type { Absent, Target, Unreadable } from "./target.ts";

export type Audited<Kept> = { readonly targets: readonly Kept[] } | { readonly misuse: string };

export interface Auditing<Kept> {
  /** is told of each target that is done, and how many there are */
  readonly count: (done: number, of: number) => void;
  /** what is left of a report when the next target begins */
  readonly keep: (report: TargetReport) => Kept;
}

export async function auditTargets<Kept>(
  files: readonly string[],
  options: AuditCommandOptions,
  { count, keep }: Auditing<Kept>,
): Promise<Audited<Kept>> {
  const isOne = files.length < 2 && options.repo === undefined;
  const prepared = await prepareAudit(files, isOne ? options : { ...options, kinds: noKinds() });
  if ("misuse" in prepared) return prepared;
  const { opened } = prepared;
  const known: Known = new Map();
  const targets = opened.map((one) => {
    const kept = keep(auditTarget(one, known));
    count(1, opened.length);
    return kept;
  });
  return { targets };
}

/** The reports of files that others may be alike to, by their kind and what they were judged by. */
type Known = Map<Kind, Map<Intent | null, First>>;

/** Ours: more kinds are no fleet, and their reports take memory. */
const MOST_REPORTS = 100;

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
  if (alike === null || alike.kind.files === 1) return judged(target, judging).report;
  const reports = reportsOf(alike.kind, known);
  const first = reports.get(judging.intent);
  const moved = first === undefined ? null : movedTo(target, alike, first, judging);
  if (moved !== null) return moved;
  const own = judged(target, judging);
  reports.set(judging.intent, { alike, own, nameless: first?.nameless ?? null });
  return own.report;
}

/** Those that were asked for last are at the end. */
function reportsOf(kind: Kind, known: Known): Map<Intent | null, First> {
  const reports = known.get(kind) ?? new Map<Intent | null, First>();
  known.delete(kind);
  known.set(kind, reports);
  const [oldest] = known.keys();
  if (known.size > MOST_REPORTS && oldest !== undefined) known.delete(oldest);
  return reports;
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
