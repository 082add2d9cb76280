/** `--confirm`: whether a fix waits for a new login's word, and the wait itself. */
import { armUndo, disarmUndo } from "../host/confirm.ts";
import { type Run, readRun } from "../host/journal.ts";
import type { Machine } from "../host/machine.ts";
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

const POLL_MS = 500;

/** True: confirmed; false: everything was put back, by the watcher or by a person. This process only looks on. */
export async function awaitConfirmation({ machine, tell, release }: Live, run: Run): Promise<boolean> {
  tell({ step: "waiting", state: "begun", text: invitation(machine, run) });
  // whoever confirms or undoes needs the lock
  release();
  for (;;) {
    const state = readRun(machine, run.folder)?.journal.state;
    if (state === "done" || state === "undone" || state === undefined) {
      const kept = state === "done";
      const text = kept ? "confirmed: it stays" : "not confirmed: everything was put back";
      tell({ step: "waiting", state: kept ? "ok" : "failed", text });
      return kept;
    }
    await machine.sleep(POLL_MS);
  }
}

function invitation(machine: Machine, { journal: { deadline } }: Run): string {
  const until = new Date(deadline ?? machine.now());
  const left = Math.ceil((until.getTime() - machine.now().getTime()) / 1000);
  const clock = until.toTimeString().slice(0, 8);
  return `run "sshd-policy confirm" from a NEW login within ${left} s (until ${clock}), or everything is put back`;
}
