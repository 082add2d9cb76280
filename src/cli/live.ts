/** One run on the live host: the lock, what earlier runs left behind, and how its steps are told. */
import { disarmUndo, SET_ASIDE } from "../host/confirm.ts";
import {
  hasTime,
  openRuns,
  prepareStateFolder,
  type Run,
  STATE_FOLDER,
  unreadableRuns,
} from "../host/journal.ts";
import { takeLock } from "../host/lock.ts";
import { type Machine, messageOf } from "../host/machine.ts";
import { bringBack } from "../host/service-record.ts";
import type { Tell } from "../host/transaction.ts";
import { recoverRun } from "../host/undo.ts";
import { visible } from "../report/text.ts";
import { ownMachine, typedSelf } from "./host.ts";
import { complain, refuse } from "./output.ts";
import { openProgress, type ProgressOptions } from "./progress.ts";

export interface Live {
  readonly machine: Machine;
  readonly tell: Tell;
  readonly release: () => void;
  /** left open by earlier calls, the oldest first */
  readonly runs: readonly Run[];
}

export interface LiveOptions extends ProgressOptions {
  readonly dryRun?: boolean;
}

/** The lock of this host's configuration, or why it cannot be had. A dry run of an ordinary user needs none. */
export function openLive(
  machine: Machine,
  tell: Tell,
  { dryRun }: LiveOptions,
): Live | { readonly refused: string } {
  if (machine.self.uid !== 0 && dryRun === true) return { machine, tell, release: () => {}, runs: [] };
  if (machine.self.uid !== 0)
    return {
      refused:
        "it belongs to this host's own sshd, which only root can test and restart: run it with sudo; --dry-run tries what can be tried without",
    };
  try {
    prepareStateFolder(machine, STATE_FOLDER);
    const lock = takeLock(machine, STATE_FOLDER);
    if (lock.kind === "busy") return { refused: lock.because };
    try {
      return { machine, tell, release: lock.release, runs: openRuns(machine, STATE_FOLDER) };
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    return { refused: `no run can begin in ${STATE_FOLDER}: ${messageOf(error)}` };
  }
}

/**
 * A run from lock to release. `recovered`: files may be other than before, for an earlier run was undone first. The exit
 * code is 1 where another run is in the way, 2 where --events cannot be written.
 */
export async function whileLocked(
  options: LiveOptions,
  act: (live: Live, recovered: boolean) => Promise<number>,
): Promise<number> {
  const machine = ownMachine();
  const tell = openProgress(machine, options);
  if (typeof tell !== "function") return refuse(tell.refused);
  const live = openLive(machine, tell, options);
  if ("refused" in live) return stopped(live.refused);
  try {
    const [unreadable] = unreadableRuns(machine, STATE_FOLDER);
    if (unreadable !== undefined)
      return stopped(`the journal of an earlier run cannot be read (${unreadable}): ${SET_ASIDE}`);
    const { runs, problems, waiting } = await recoverRuns(live, { unconfirmed: "leave" });
    if (waiting !== null)
      return stopped(
        `the fix of ${waiting.journal.started} waits for "${typedSelf(machine)} confirm" until ${waiting.journal.deadline}: confirm it, or undo it with "${typedSelf(machine)} recover"`,
      );
    if (problems.length > 0) return stopped(problems.join("; "));
    return await act(live, runs > 0);
  } finally {
    live.release();
  }
}

function stopped(because: string): number {
  complain(visible(`nothing was changed: ${because}`));
  return 1;
}

/** What became of the runs that an earlier call left open. */
export interface Recovered {
  readonly runs: number;
  readonly problems: readonly string[];
  /** a run that waits for a person, who has still time: nothing is done about it */
  readonly waiting: Run | null;
}

/** Finishes what was decided, undoes the rest. `unconfirmed`: what is done about a run that waits for its confirmation. */
export async function recoverRuns(
  { machine, tell, runs }: Live,
  { unconfirmed }: { readonly unconfirmed: "leave" | "undo" },
): Promise<Recovered> {
  const problems: string[] = [];
  const waiting = unconfirmed === "leave" ? runs.find((run) => hasTime(machine, run)) : undefined;
  if (waiting !== undefined) return { runs: 0, problems, waiting };
  // the latest first: what it changed stands on what earlier ones left
  for (const run of runs.toReversed()) {
    tell({ step: "recover", state: "begun", text: "" });
    const { service } = run.journal;
    const undone = await recoverRun(machine, run, service === null ? null : bringBack(machine, service));
    problems.push(...undone.problems);
    tell({
      step: "recover",
      state: undone.problems.length === 0 ? "ok" : "failed",
      text: [`the run of ${run.journal.started}: ${recoveredText(undone)}`, ...undone.problems].join("\n"),
    });
  }
  if (runs.length > 0 && openRuns(machine, STATE_FOLDER).length === 0) await disarmUndo(machine);
  return { runs: runs.length, problems, waiting: null };
}

function recoveredText({ problems, service, kept }: Awaited<ReturnType<typeof recoverRun>>): string {
  if (kept) return "it was kept, and is finished now";
  const text = problems.length === 0 ? "undone, everything is as it was before it" : "not undone";
  return service === null ? text : `${text}; ${service}`;
}

/** What came from outside so far. */
export interface Signals {
  /** why to stop; null: nobody asked */
  readonly stopped: () => string | null;
  /** the terminal or the connection is gone: a signal to end may come from the end of its session alone */
  readonly hungUp: () => boolean;
}

/** Node's own answer to these signals would be an end in the middle, and to Ctrl-Z a stop that keeps the lock. */
export function watchSignals(): Signals {
  let reason: string | null = null;
  let isHungUp = false;
  for (const signal of ["SIGINT", "SIGQUIT", "SIGTERM"] as const)
    process.on(signal, () => {
      reason = `stopped by ${signal}`;
    });
  process.on("SIGTSTP", () => {});
  process.on("SIGHUP", () => {
    isHungUp = true;
  });
  return { stopped: () => reason, hungUp: () => isHungUp };
}
