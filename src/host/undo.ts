/** A run that is taken back, or kept for good: both can be stopped at any point and done again. */
import { advance, foldersOf, hashOf, type JournalFile, type Run } from "./journal.ts";
import type { Machine } from "./machine.ts";
import { makeTwin, twinPath, whyFailed } from "./replace.ts";

export type Restarted =
  | { readonly kind: "up"; readonly text: string }
  | { readonly kind: "down"; readonly because: string };

/** Brings the service up with the files as they are; null: it is not to be touched (before it starts, at boot). */
export type Restarter = (() => Promise<Restarted>) | null;

export interface Undone {
  /** what is not as it was, in words; empty: everything is */
  readonly problems: readonly string[];
  /** what the service said when it came back; null where it was not restarted */
  readonly service: string | null;
}

/** The files of a run as they were, and the service with them if it may have read the new ones. */
export async function undoRun(machine: Machine, run: Run, restart: Restarter): Promise<Undone> {
  const problems: string[] = [];
  // a full disk must not keep the files from being put back: the state before says enough to do it again
  const undoing = quietly(() => advance(machine, run, { state: "undoing" })) ?? run;
  let retry = false;
  for (const file of run.journal.files) {
    const problem = await putBack(machine, run, file).catch((error: unknown) => {
      retry = true;
      return whyFailed(file.path, error);
    });
    if (problem !== null) problems.push(problem);
  }
  for (const folder of foldersOf(run)) quietly(() => machine.sync(folder));
  const service = run.journal.restarted && restart !== null ? await restart() : null;
  if (service?.kind === "down") problems.push(`the service is not up: ${service.because}`);
  if (!retry && service?.kind !== "down") quietly(() => advance(machine, undoing, { state: "undone" }));
  return { problems, service: service?.kind === "up" ? service.text : null };
}

function quietly<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}

/** What could not be done because somebody changed the file since; null when it is as it was. */
async function putBack(machine: Machine, run: Run, file: JournalFile): Promise<string | null> {
  const now = machine.readFile(file.path);
  const hash = now === null ? null : hashOf(now);
  if (hash !== file.before && hash !== file.after)
    return `${file.path} was changed since by somebody else and is left as it is; the old text is ${file.backup}`;
  if (hash === file.after) await restore(machine, run, file);
  machine.unlink(file.oldTwin);
  machine.unlink(file.newTwin);
  return null;
}

async function restore(machine: Machine, run: Run, file: JournalFile): Promise<void> {
  if (machine.status(file.oldTwin) === null) await rebuildTwin(machine, run, file);
  machine.rename(file.oldTwin, file.path);
}

/** The old inode is gone (a copy of the file system without it): its bytes are in the backup. */
async function rebuildTwin(
  machine: Machine,
  run: Run,
  { path, backup, oldTwin }: JournalFile,
): Promise<void> {
  const before = machine.readFile(backup);
  if (before === null) throw new Error(`neither ${oldTwin} nor ${backup} is there`);
  const again = twinPath(path, "old", `${run.folder.slice(run.folder.lastIndexOf("/") + 1)}-again`);
  machine.unlink(again);
  await makeTwin(machine, { path, after: before }, again);
  machine.rename(again, oldTwin);
}

/** The new files stay: what would undo them is removed. */
export function keepRun(machine: Machine, run: Run): Run {
  const finishing = advance(machine, run, { state: "finishing", deadline: null });
  for (const { oldTwin, newTwin } of run.journal.files) {
    machine.unlink(oldTwin);
    machine.unlink(newTwin);
  }
  for (const folder of foldersOf(run)) machine.sync(folder);
  return advance(machine, finishing, { state: "done" });
}
