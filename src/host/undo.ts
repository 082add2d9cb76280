/** A run that is taken back, or kept for good: both can be stopped at any point and done again. */
import { folderOf } from "../files/path.ts";
import { type HoldingMachine, type OutOfReach, whileHolding } from "./held-folders.ts";
import { advance, foldersOf, hashOf, type JournalFile, type Run } from "./journal.ts";
import { type Machine, messageOf } from "./machine.ts";
import { makeTwin, twinPath, whyFailed } from "./replace.ts";

export type Restarted =
  | { readonly kind: "up"; readonly text: string }
  | { readonly kind: "down"; readonly because: string };

/** What brings the service up with the files as they are. */
export interface Restarter {
  /** `since`: the files are as they are from then on (milliseconds since 1970) */
  readonly restart: (since: number) => Promise<Restarted>;
  /** where it stays down: an sshd without it */
  readonly rescue: (because: string) => Promise<Rescued>;
}

export type Rescued =
  | { readonly kind: "rescued"; readonly text: string }
  | { readonly kind: "down"; readonly because: string };

export interface Undone {
  /** what is not as it was, in words; empty: everything is */
  readonly problems: readonly string[];
  /** what the service said when it came back; null where it was not restarted */
  readonly service: string | null;
  /** a later run has nothing more to try: it is done, or a person must */
  readonly isOver: boolean;
}

/** Once is not enough where an error passes by itself: nothing is worse than a server that is left in between. */
const ATTEMPTS = 2;

/**
 * The files of a run as they were, and the service with them if it may have read the new ones. `restarter` null: it is
 * not to be touched (before it starts, at boot).
 */
export async function undoRun(machine: Machine, run: Run, restarter: Restarter | null): Promise<Undone> {
  // a full disk must not keep the files from being put back: the state before says enough to do it again
  const undoing = quietly(() => advance(machine, run, { state: "undoing" })) ?? run;
  const files = await whileHolding(machine, run.journal.files, (held) => putAllBack(held, run));
  const service =
    run.journal.restarted && restarter !== null ? await start(restarter, lastChange(machine, run)) : null;
  const problems = [...files.conflicts, ...files.failures];
  if (service?.kind === "down") problems.push(`the service is not up: ${service.because}`);
  if (service?.kind === "rescued") problems.push(`the service is not up: ${service.text}`);
  const isOver = files.failures.length === 0 && service?.kind !== "down";
  if (isOver) quietly(() => advance(machine, undoing, { state: "undone" }));
  return { problems, service: service?.kind === "up" ? service.text : null, isOver };
}

/** What is not as it was, in words; null: everything is. */
export function remainsText({ problems, isOver }: Undone): string | null {
  if (problems.length === 0) return null;
  const again = isOver ? "" : '; "sshd-policy recover" tries again';
  return `NOT everything is as it was: ${problems.join("; ")}${again}`;
}

function quietly<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}

async function start({ restart, rescue }: Restarter, since: number): Promise<Restarted | Rescued> {
  let restarted = await tried(() => restart(since));
  for (let attempt = 1; attempt < ATTEMPTS && restarted.kind === "down"; attempt++)
    restarted = await tried(() => restart(since));
  if (restarted.kind === "up") return restarted;
  const { because } = restarted;
  return tried(() => rescue(because));
}

/** Without memory for a process, Node.js throws instead of starting one. */
async function tried<T>(act: () => Promise<T>): Promise<T | Extract<Restarted, { kind: "down" }>> {
  try {
    return await act();
  } catch (error) {
    return { kind: "down", because: messageOf(error) };
  }
}

/** When the last of the files became as it is now. */
function lastChange(machine: Machine, { journal }: Run): number {
  const times = journal.files.map(({ path }) => quietly(() => machine.status(path)?.changedMs ?? null));
  // of a file that tells nothing nobody knows which of its texts an sshd has read
  return Math.max(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
}

interface PutBack {
  /** files that somebody else changed since: they stay as they are, for good */
  readonly conflicts: readonly string[];
  /** what can be tried again */
  readonly failures: readonly string[];
}

async function putAllBack(machine: HoldingMachine, run: Run): Promise<PutBack> {
  let result: PutBack = { conflicts: [], failures: [] };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const conflicts: string[] = [];
    const failures: string[] = [];
    for (const file of run.journal.files) {
      try {
        const conflict = await putBack(machine, run, file);
        if (conflict !== null) conflicts.push(conflict);
      } catch (error) {
        failures.push(whyFailed(file.path, error));
      }
    }
    result = { conflicts, failures };
    if (failures.length === 0) break;
  }
  for (const folder of foldersOf(run)) quietly(() => machine.sync(folder));
  return result;
}

/** What could not be done because somebody changed the file since; null when it is as it was. */
async function putBack(machine: HoldingMachine, run: Run, file: JournalFile): Promise<string | null> {
  const outOfReach = machine.whyOutOfReach(file.path);
  if (outOfReach !== null) return whyLeft(file, outOfReach);
  // nothing of it is ours: whoever changed it since may have made the very same change
  const isUntouched = run.journal.state === "prepared";
  const now = machine.readFile(file.path);
  const hash = now === null ? null : hashOf(now);
  if (hash === file.after && !isUntouched) await restore(machine, run, file);
  // also where nothing is put back: the file would keep a second name, and no later fix replaces one that has two
  for (const twin of [file.oldTwin, file.newTwin]) removeIfThere(machine, twin);
  if (isUntouched || hash === file.before || hash === file.after) return null;
  return `${file.path} was changed since by somebody else and is left as it is; the old text is ${file.backup}`;
}

/** On a disk that is read-only even what is not there cannot be removed. */
function removeIfThere(machine: Machine, path: string): void {
  if (machine.status(path) !== null) machine.unlink(path);
}

function whyLeft({ path, backup }: JournalFile, outOfReach: OutOfReach): string {
  const folder = folderOf(path);
  if (outOfReach === "gone")
    return `${folder} is not there any more: nothing is put back; the old text is ${backup}`;
  return `${folder} is no folder now, or a link leads to it: ${path} is left as it is; if it is still in use, put its old text back by hand: ${backup}`;
}

async function restore(machine: HoldingMachine, run: Run, file: JournalFile): Promise<void> {
  if (machine.status(file.oldTwin) === null) await rebuildTwin(machine, run, file);
  machine.rename(file.oldTwin, file.path);
}

/** The old inode is gone (a copy of the file system without it): its bytes are in the backup. */
async function rebuildTwin(
  machine: HoldingMachine,
  run: Run,
  { path, backup, oldTwin }: JournalFile,
): Promise<void> {
  const before = machine.readFile(backup);
  if (before === null) throw new Error(`neither ${oldTwin} nor ${backup} is there`);
  const again = twinPath(path, "old", `${run.folder.slice(run.folder.lastIndexOf("/") + 1)}-again`);
  try {
    machine.unlink(again);
    await makeTwin(machine, { path, after: before }, again);
    machine.rename(again, oldTwin);
  } catch (error) {
    quietly(() => machine.unlink(again));
    throw error;
  }
}

/**
 * The new files stay. With the journal it is decided: what cannot be removed then is left to the next run.
 * @throws where the decision cannot be written
 */
export function keepRun(machine: Machine, run: Run): Run {
  return tidyUp(machine, advance(machine, run, { state: "finishing", deadline: null }));
}

function tidyUp(machine: Machine, run: Run): Run {
  return (
    quietly(() => {
      for (const { oldTwin, newTwin } of run.journal.files) {
        machine.unlink(oldTwin);
        machine.unlink(newTwin);
      }
      for (const folder of foldersOf(run)) machine.sync(folder);
      return advance(machine, run, { state: "done" });
    }) ?? run
  );
}

/** An interrupted run: finished where it was decided to keep it, else undone. */
export async function recoverRun(
  machine: Machine,
  run: Run,
  restarter: Restarter | null,
): Promise<Undone & { readonly kept: boolean }> {
  if (run.journal.state !== "finishing") return { ...(await undoRun(machine, run, restarter)), kept: false };
  tidyUp(machine, run);
  return { problems: [], service: null, isOver: true, kept: true };
}
