/**
 * A fix that waits for a person's confirmation, and who undoes it when none comes: a process that outlives this one and
 * its session, and a hook that runs before sshd when the host boots.
 */
import { bootHook, installHook, removeHook } from "./boot-hook.ts";
import { findDaemons } from "./daemon.ts";
import {
  hasTime,
  type Journal,
  latest,
  openRuns,
  type Run,
  readRun,
  unreadableRuns,
  writeLog,
} from "./journal.ts";
import { areSessions } from "./journal-shape.ts";
import { takeLock } from "./lock.ts";
import { type Machine, messageOf } from "./machine.ts";
import { statusOf, textOf } from "./processes.ts";
import { bringBack } from "./service-record.ts";
import { openSessions, originOf, type Session } from "./sessions.ts";
import { keepRun, recoverRun, type Undone, undoRun } from "./undo.ts";

/** How this program is called to watch, and at a boot: hidden options of `confirm`. */
const watchCommand = ({ self }: Machine, { folder }: Run): readonly string[] => [
  ...self.command,
  "confirm",
  "--watch",
  folder,
];

function hookOf(machine: Machine): ReturnType<typeof bootHook> {
  return bootHook(machine, [...machine.self.command, "confirm", "--boot"]);
}

/** Makes sure that the run is undone at its deadline, whatever becomes of this process. Gives words for people. */
export async function armUndo(machine: Machine, run: Run): Promise<string> {
  rememberSessions(machine, run, await openSessions(machine));
  const hook = hookOf(machine);
  if (hook !== null) await installHook(machine, hook);
  const watcher = await startWatcher(machine, run);
  const boot =
    hook === null
      ? "a restart of this container does not undo it"
      : `and by ${hook.path} if this host boots meanwhile`;
  return `undone by ${watcher} unless it is confirmed, ${boot}`;
}

/** Nothing waits any more: the watcher sees it in the journal and ends by itself. */
export async function disarmUndo(machine: Machine): Promise<void> {
  const hook = hookOf(machine);
  if (hook !== null) await removeHook(machine, hook);
}

/**
 * A service of its own where systemd runs, since logind may kill what a session leaves behind (KillUserProcesses in
 * logind.conf(5)); elsewhere a process in a session of its own. systemd may not run what the caller does: SELinux keeps it
 * from programs in somebody's home.
 * @throws where neither says that it runs
 */
async function startWatcher(machine: Machine, run: Run): Promise<string> {
  const command = watchCommand(machine, run);
  if (statusOf(machine, "/run/systemd/system") !== null) {
    const unit = `sshd-policy-${run.folder.slice(run.folder.lastIndexOf("/") + 1)}.service`;
    const options = ["--quiet", "--collect", `--unit=${unit}`, "--property=Restart=on-failure"];
    const { status } = await machine.run(["systemd-run", ...options, "--", ...command]);
    if (status === 0 && (await isWatched(machine, run))) return unit;
    if (status === 0) await machine.run(["systemctl", "stop", unit]);
  }
  const pid = machine.startDetached(command);
  if (await isWatched(machine, run)) return `process ${pid}`;
  throw new Error(`"${command.join(" ")}" does not start`);
}

/** On a busy machine a program takes its time. */
const WATCHED_WITHIN_MS = 20_000;
const LOOK_MS = 100;

async function isWatched(machine: Machine, run: Run): Promise<boolean> {
  for (let waited = 0; waited < WATCHED_WITHIN_MS; waited += LOOK_MS) {
    if (machine.status(watchedPath(run)) !== null) return true;
    await machine.sleep(LOOK_MS);
  }
  return false;
}

/** What a watcher does first: nothing is changed before somebody watches. */
export function sayWatched(machine: Machine, run: Pick<Run, "folder">): void {
  if (machine.status(watchedPath(run)) === null) machine.create(watchedPath(run));
}

function watchedPath({ folder }: Pick<Run, "folder">): string {
  return `${folder}/watched`;
}

/** Whose confirmation proves nothing: these sessions were open before the change. */
function rememberSessions(machine: Machine, run: Run, sessions: readonly Session[]): void {
  const path = sessionsPath(run);
  machine.unlink(path);
  machine.create(path);
  const text = JSON.stringify(sessions.map(({ pid, started }) => ({ pid, started })));
  machine.write(path, Buffer.from(text, "latin1"));
}

function sessionsPath({ folder }: Run): string {
  return `${folder}/sessions.json`;
}

const POLL_MS = 1000;
/** After an undo that did not come through: each try restarts sshd, until it runs with the old files. */
const RETRY_MS = 30_000;

export interface Watch {
  readonly stateFolder: string;
  /** of the run */
  readonly folder: string;
  /** why not to wait any longer, from outside (a signal); null: go on */
  readonly stopped: () => string | null;
}

const TIME_IS_UP = "nobody confirmed it in time";

/** Until the run is settled, or its deadline has passed, or the wait was stopped, and it is undone. */
export async function watchRun(machine: Machine, { stateFolder, folder, stopped }: Watch): Promise<void> {
  let waited = 0;
  let deadline: string | null = null;
  let limit = Number.POSITIVE_INFINITY;
  let undone: Tried = "later";
  let run = readRun(machine, folder);
  for (;;) {
    run = run === null ? null : latest(machine, run);
    if (run === null || isSettled(run.journal)) return;
    if (run.journal.deadline !== deadline) {
      deadline = run.journal.deadline;
      waited = 0;
      limit = deadline === null ? limit : timeLeft(machine, run.journal.started, deadline);
    }
    // a clock that is set back must not keep an unwanted policy: the time waited counts, too
    const isOver = deadline !== null && (machine.now().getTime() >= Date.parse(deadline) || waited >= limit);
    const because = stopped() ?? (isOver ? TIME_IS_UP : null);
    if (because !== null) undone = await tryUndo(machine, { stateFolder, run, because, last: undone });
    if (undone === "settled") return;
    const pause = undone === "later" ? POLL_MS : RETRY_MS;
    await machine.sleep(pause);
    waited += pause;
  }
}

/** Never more than from the run's begin to its deadline: the clock may have been set back before the first look. */
function timeLeft(machine: Machine, started: string, deadline: string): number {
  const end = Date.parse(deadline);
  const left = end - machine.now().getTime();
  const whole = end - Date.parse(started);
  return whole > 0 ? Math.min(left, whole) : left;
}

/** "finishing": a person has confirmed it, and what is left is tidying up. */
function isSettled({ state }: Journal): boolean {
  return state === "finishing" || state === "done" || state === "undone";
}

/**
 * later: another run is at work · failed: something is not put back · unwritten: everything is, but the journal cannot
 * say so yet. The last two must be tried again.
 */
type Tried = "settled" | "later" | "failed" | "unwritten";

interface Trial {
  readonly stateFolder: string;
  /** as it was read last */
  readonly run: Run;
  readonly because: string;
  /** what became of the try before */
  readonly last: Tried;
}

/** A disk that cannot be written now, or no memory for a process: the watch must not end before the undo is done. */
async function tryUndo(machine: Machine, trial: Trial): Promise<Tried> {
  const { stateFolder, run, last } = trial;
  try {
    return await undoLocked(machine, trial);
  } catch (error) {
    const why = messageOf(error);
    note(machine, stateFolder, `${run.folder}: ${trial.because}, and it cannot be undone yet: ${why}`);
    return last === "unwritten" ? last : "failed";
  }
}

async function undoLocked(machine: Machine, trial: Trial): Promise<Tried> {
  const { stateFolder, because, last } = trial;
  const lock = takeLock(machine, stateFolder);
  if (lock.kind === "busy") return "later";
  try {
    const run = latest(machine, trial.run);
    if (run === null || isSettled(run.journal)) return "settled";
    const { service } = run.journal;
    const isUp = service === null || last === "unwritten";
    const undone = await undoRun(machine, run, isUp ? null : bringBack(machine, service));
    note(machine, stateFolder, `${run.folder}: ${because}: ${outcomeText(undone)}`);
    const now = latest(machine, run);
    if (now !== null && !isSettled(now.journal)) return undone.problems.length === 0 ? "unwritten" : "failed";
    await disarmUndo(machine);
    return "settled";
  } finally {
    lock.release();
  }
}

/** A log that cannot be written must not keep anything from being put back. */
function note(machine: Machine, stateFolder: string, text: string): void {
  try {
    writeLog(machine, stateFolder, text);
  } catch {
    // a full disk: the journal decides, not the log
  }
}

function outcomeText({ problems, service }: Undone): string {
  if (problems.length > 0) return problems.join("; ");
  return service === null ? "undone" : `undone; ${service}`;
}

/** Before sshd starts: whatever waits or was interrupted goes back, and nothing is restarted. */
export async function undoAtBoot(machine: Machine, stateFolder: string): Promise<void> {
  for (const run of openRuns(machine, stateFolder).toReversed()) {
    const undone = await recoverRun(machine, run, null);
    const outcome = undone.kept ? "it was confirmed and stays" : outcomeText(undone);
    note(machine, stateFolder, `${run.folder}: the host booted before it was confirmed: ${outcome}`);
  }
  for (const folder of unreadableRuns(machine, stateFolder))
    note(machine, stateFolder, `${folder}: its journal cannot be read, so nothing of it was undone`);
  if (openRuns(machine, stateFolder).length === 0) await disarmUndo(machine);
}

export type Confirmation =
  | { readonly kind: "kept"; readonly runs: readonly Run[] }
  | { readonly kind: "nothing" }
  | { readonly kind: "refused"; readonly because: string }
  /** the time was up: it is undone here and now, whether or not somebody else watches */
  | { readonly kind: "late"; readonly undone: Undone };

/** Keeps what waits, if the caller came by a login that the new policy let in. */
export async function confirmRuns(machine: Machine, stateFolder: string): Promise<Confirmation> {
  // no fix was ever made here, and a question makes no folder to lock
  if (machine.list(stateFolder) === null) return { kind: "nothing" };
  try {
    return await confirmLocked(machine, stateFolder);
  } catch (error) {
    const because = messageOf(error);
    return { kind: "refused", because: `the confirmation cannot be written: ${because}` };
  }
}

async function confirmLocked(machine: Machine, stateFolder: string): Promise<Confirmation> {
  const lock = takeLock(machine, stateFolder);
  if (lock.kind === "busy") return { kind: "refused", because: lock.because };
  try {
    const waiting = openRuns(machine, stateFolder).filter(({ journal }) => journal.state === "unconfirmed");
    const [unreadable] = unreadableRuns(machine, stateFolder);
    if (waiting.length === 0 && unreadable !== undefined)
      return { kind: "refused", because: `the journal in ${unreadable} cannot be read: ${SET_ASIDE}` };
    if (waiting.length === 0) return { kind: "nothing" };
    const late = waiting.filter((run) => !hasTime(machine, run));
    if (late.length > 0) return { kind: "late", undone: await undoLate(machine, stateFolder, late) };
    const refused = await whyNoProof(machine, waiting);
    if (refused !== null) return { kind: "refused", because: refused };
    const runs = waiting.map((run) => keepRun(machine, run));
    for (const { folder } of runs)
      note(machine, stateFolder, `${folder}: confirmed by ${machine.self.caller}`);
    // a hook that stays finds nothing to undo
    await disarmUndo(machine).catch(() => {});
    return { kind: "kept", runs };
  } finally {
    lock.release();
  }
}

/** What to do about a journal that cannot be read. */
export const SET_ASIDE = '"sshd-policy recover" sets it aside and names its backups';

/** The latest first: what it changed stands on what earlier ones left. */
async function undoLate(machine: Machine, stateFolder: string, runs: readonly Run[]): Promise<Undone> {
  const problems: string[] = [];
  let said: string | null = null;
  let isOver = true;
  for (const run of runs.toReversed()) {
    const { service } = run.journal;
    const undone = await undoRun(machine, run, service === null ? null : bringBack(machine, service));
    note(machine, stateFolder, `${run.folder}: ${TIME_IS_UP}: ${outcomeText(undone)}`);
    problems.push(...undone.problems);
    said = undone.service ?? said;
    isOver &&= undone.isOver;
  }
  if (openRuns(machine, stateFolder).length === 0) await disarmUndo(machine).catch(() => {});
  return { problems, service: said, isOver };
}

const LOG_IN = "log in anew and confirm there: that proves that a login still works";

async function whyNoProof(machine: Machine, runs: readonly Run[]): Promise<string | null> {
  const origin = originOf(machine, await openSessions(machine), machine.self.pid);
  if (origin.kind === "console") return null;
  if (origin.kind === "ended") return `this shell came by a login that has ended: ${LOG_IN}`;
  const { session } = origin;
  for (const run of runs) {
    const known = sessionsBefore(machine, run);
    if (known === null)
      return `${sessionsPath(run)} no longer tells which sessions are new: confirm at the console`;
    if (wasOpenBefore(machine, run, { session, known }))
      return `this session was open before the change: ${LOG_IN}`;
  }
  return null;
}

type Remembered = Pick<Session, "pid" | "started">;

/** Null where that cannot be read any more. */
function sessionsBefore(machine: Machine, run: Run): readonly Remembered[] | null {
  try {
    const known: unknown = JSON.parse(textOf(machine, sessionsPath(run)) ?? "");
    return areSessions(known) ? (known as Remembered[]) : null;
  } catch {
    return null;
  }
}

function wasOpenBefore(
  machine: Machine,
  run: Run,
  { session: { pid, started }, known }: { readonly session: Session; readonly known: readonly Remembered[] },
): boolean {
  if (known.some((session) => session.pid === pid && session.started === started)) return true;
  // a login while the old sshd still listened proves nothing either
  const { service } = run.journal;
  if (service === null || service.how !== "restart") return false;
  const [daemon] = findDaemons(machine, service.configFile);
  return daemon !== undefined && started < daemon.process.started;
}
