/** `--confirm`: whether a fix waits for a new login's word, and the wait itself. */
import { armUndo, disarmUndo, watchRun } from "../host/confirm.ts";
import { hashOf, type Run, readRun } from "../host/journal.ts";
import { folderOf, type Machine } from "../host/machine.ts";
import { originOf, type Session } from "../host/sessions.ts";
import type { LiveFix } from "../host/transaction.ts";
import type { Live } from "./live.ts";

const DEFAULT_SECONDS = 120;

/** Who sits at a terminal over SSH can cut off the very connection that is needed to mend it. */
export function chosenSeconds(
  machine: Machine,
  sessions: readonly Session[],
  { confirm, isTerminal }: { readonly confirm: number | undefined; readonly isTerminal: boolean },
): number {
  if (confirm !== undefined) return confirm;
  const overSsh = originOf(machine, sessions, machine.self.pid).kind !== "console";
  return overSsh && isTerminal ? DEFAULT_SECONDS : 0;
}

export function confirmation(machine: Machine, seconds: number): LiveFix["confirm"] {
  if (seconds === 0) return null;
  return { seconds, arm: (run) => armUndo(machine, run), disarm: () => disarmUndo(machine) };
}

/** True: confirmed; false: put back, by the watcher, by a person, or by this process where the watcher was ended. */
export async function awaitConfirmation({ machine, tell, release }: Live, run: Run): Promise<boolean> {
  tell({ step: "waiting", state: "begun", text: invitation(machine, run) });
  // whoever confirms or undoes needs the lock
  release();
  await watchRun(machine, folderOf(run.folder), run.folder);
  const state = readRun(machine, run.folder)?.journal.state;
  const kept = state === "done" || state === "finishing";
  const text = kept ? "confirmed: it stays" : `not confirmed: ${putBackText(machine, run)}`;
  tell({ step: "waiting", state: kept ? "ok" : "failed", text });
  return kept;
}

function putBackText(machine: Machine, { journal }: Run): string {
  const others = journal.files.filter(({ path, before }) => {
    const now = machine.readFile(path);
    return now === null || hashOf(now) !== before;
  });
  if (others.length === 0) return "everything was put back";
  const names = others.map(({ path, backup }) => `${path} (its old text is ${backup})`).join(", ");
  return `put back, but for what somebody else changed since: ${names}`;
}

function invitation(machine: Machine, { journal: { deadline } }: Run): string {
  const until = new Date(deadline ?? machine.now());
  const left = Math.ceil((until.getTime() - machine.now().getTime()) / 1000);
  const clock = until.toTimeString().slice(0, 8);
  return `run "sshd-policy confirm" from a NEW login within ${left} s (until ${clock}), or everything is put back`;
}
