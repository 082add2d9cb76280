/** `--confirm`: whether a fix waits for a new login's word, and the wait itself. */
import { folderOf } from "../files/path.ts";
import { armUndo, disarmUndo, watchRun } from "../host/confirm.ts";
import { hashOf, latest, type Run } from "../host/journal.ts";
import type { Machine } from "../host/machine.ts";
import { originOf, type Session } from "../host/sessions.ts";
import type { LiveFix } from "../host/transaction.ts";
import { typedSelf } from "./host.ts";
import type { Live, Signals } from "./live.ts";

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

/**
 * Null: confirmed; else why it was put back, by the watcher, by a person, or by this process: at once where it is asked to
 * stop, and in time where the watcher was ended. A connection that is gone stops nothing: a new one may confirm.
 */
export async function awaitConfirmation(
  { machine, tell, release }: Live,
  run: Run,
  { stopped, hungUp }: Signals,
): Promise<string | null> {
  tell({ step: "waiting", state: "begun", text: invitation(machine, run) });
  // whoever confirms or undoes needs the lock
  release();
  const whyStopped = (): string | null => (hungUp() ? null : stopped());
  await watchRun(machine, { stateFolder: folderOf(run.folder), folder: run.folder, stopped: whyStopped });
  const state = latest(machine, run)?.journal.state;
  if (state === "done" || state === "finishing") {
    tell({ step: "waiting", state: "ok", text: "confirmed: it stays" });
    return null;
  }
  tell({ step: "waiting", state: "failed", text: `not confirmed: ${putBackText(machine, run)}` });
  return whyStopped() ?? "nobody confirmed it in time";
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
  return `run "${typedSelf(machine)} confirm" from a NEW login within ${left} s (until ${clock}), or everything is put back; Ctrl-C puts it back at once`;
}
