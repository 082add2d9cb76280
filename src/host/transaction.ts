/**
 * The steps from a plan to a server that runs with it, or to the server as it was. Everything that can be tried before
 * the first file changes is tried then; after that each failure leads to the undo. The caller holds the lock.
 */
import { type HoldingMachine, whileHolding } from "./held-folders.ts";
import { advance, createRun, discardQuietly, foldersOf, type Run } from "./journal.ts";
import { type Machine, messageOf } from "./machine.ts";
import { makeTwin, type Replacement, whyFailed, whyNotReplaceable } from "./replace.ts";
import type { ServiceRecord } from "./service-record.ts";
import { keepRun, type Restarted, type Restarter, type Undone, undoRun } from "./undo.ts";
import { type Copy, type SshdCommand, testLive, testStaged, type Verdict } from "./validate.ts";

export type StepName =
  | "recover"
  | "plan"
  | "use"
  | "backup"
  | "stage"
  | "test"
  | "arm"
  | "write"
  | "restart"
  | "proof"
  | "sessions"
  | "finish"
  | "undo"
  | "waiting";

export interface Step {
  readonly step: StepName;
  readonly state: "begun" | "ok" | "failed" | "skipped";
  /** for people, one line or several */
  readonly text: string;
}

export type Tell = (step: Step) => void;

/** What sshd itself says about the new configuration. */
export type Proof =
  | { readonly kind: "holds"; readonly text: string }
  | { readonly kind: "fails"; readonly because: string };

export interface LiveFix {
  readonly stateFolder: string;
  readonly files: readonly Replacement[];
  /** null: nothing is tested (--no-validate) */
  readonly sshd: SshdCommand | null;
  /** the new configuration as a copy inside a folder that stands on its own, its main file first */
  readonly copy: (folder: string) => readonly Copy[];
  /** null: the service is left alone (--no-restart) */
  readonly service: {
    readonly record: ServiceRecord;
    /** takes the new files up */
    readonly restart: () => Promise<Restarted>;
    /** takes the old files up, whatever became of it meanwhile */
    readonly bringBack: Restarter;
  } | null;
  readonly prove: () => Promise<Proof>;
  /** undone unless a person confirms; null: not asked for */
  readonly confirm: {
    readonly seconds: number;
    /** makes sure that the run is undone in time, whatever becomes of this process; gives words for people */
    readonly arm: (run: Run) => Promise<string>;
    readonly disarm: () => Promise<void>;
  } | null;
  /** "rehearse": every step but the swap */
  readonly mode: "apply" | "rehearse";
  /** why to stop, from outside (a signal); null: go on */
  readonly stopped: () => string | null;
}

export type Outcome =
  /** nothing was changed */
  | { readonly kind: "refused"; readonly because: string }
  | { readonly kind: "rehearsed" }
  | { readonly kind: "applied"; readonly run: Run }
  | { readonly kind: "unconfirmed"; readonly run: Run }
  | { readonly kind: "rolled-back"; readonly because: string; readonly undone: Undone };

/** What goes wrong in a step, in words for people. */
class StepFailed extends Error {}

export async function applyFix(machine: Machine, fix: LiveFix, tell: Tell): Promise<Outcome> {
  return whileHolding(machine, fix.files, (held) =>
    applyHeld({ machine: held, fix, tell, run: null, changed: false }),
  );
}

async function applyHeld(work: Work): Promise<Outcome> {
  const { fix, tell } = work;
  try {
    await prepare(work);
    if (fix.mode === "rehearse") {
      await takeBack(work);
      tell({ step: "write", state: "skipped", text: "a dry run: nothing was changed" });
      return { kind: "rehearsed" };
    }
    await change(work);
    return conclude(work);
  } catch (error) {
    const because = reasonOf(error, fix);
    if (work.changed) return rollBack(work, because);
    await takeBack(work);
    return { kind: "refused", because };
  }
}

interface Work {
  readonly machine: HoldingMachine;
  readonly fix: LiveFix;
  readonly tell: Tell;
  run: Run | null;
  /** a file may be new: from here on a failure is undone, not refused */
  changed: boolean;
}

/** One step: told when it begins and how it ended. */
async function step({ fix, tell }: Work, name: StepName, act: () => string | Promise<string>): Promise<void> {
  const stopped = fix.stopped();
  if (stopped !== null) throw new StepFailed(stopped);
  tell({ step: name, state: "begun", text: "" });
  try {
    tell({ step: name, state: "ok", text: await act() });
  } catch (error) {
    tell({ step: name, state: "failed", text: reasonOf(error, fix) });
    throw error;
  }
}

function reasonOf(error: unknown, { files }: LiveFix): string {
  if (error instanceof StepFailed) return error.message;
  return whyFailed(files[0]?.path ?? "the configuration", error);
}

function runOf({ run }: Work): Run {
  if (run === null) throw new Error("no run was begun");
  return run;
}

async function prepare(work: Work): Promise<void> {
  const { machine, fix } = work;
  await step(work, "backup", () => {
    for (const file of fix.files) refuseIf(whyNotReplaceable(machine, file));
    const deadline = fix.confirm === null ? null : deadlineIn(machine, fix.confirm.seconds);
    const service = fix.service?.record ?? null;
    work.run = recorded(work, () =>
      createRun(machine, fix.stateFolder, { files: fix.files, service, deadline }),
    );
    return work.run.folder;
  });
  await step(work, "stage", () => stageFiles(work));
  if (fix.sshd === null) work.tell({ step: "test", state: "skipped", text: "as --no-validate asks" });
  else await step(work, "test", () => testFiles(work));
  if (fix.confirm !== null && fix.mode === "apply") await step(work, "arm", () => armed(work, fix.confirm));
}

async function armed(work: Work, confirm: LiveFix["confirm"]): Promise<string> {
  try {
    return (await confirm?.arm(runOf(work))) ?? "";
  } catch (error) {
    const because = messageOf(error);
    throw new StepFailed(`who undoes it in time cannot be set up: ${because}`);
  }
}

/** The journal lies on another disk than the configuration, and that one is what is full. */
function recorded({ fix: { stateFolder } }: Work, act: () => Run): Run {
  try {
    return act();
  } catch (error) {
    const because = messageOf(error);
    throw new StepFailed(`the journal in ${stateFolder} cannot be written: ${because}`);
  }
}

function refuseIf(because: string | null): void {
  if (because !== null) throw new StepFailed(because);
}

function deadlineIn(machine: Machine, seconds: number): string {
  return new Date(machine.now().getTime() + seconds * 1000).toISOString();
}

/** Both twins of each file: what it will be, and its own inode under a second name. */
async function stageFiles(work: Work): Promise<string> {
  const { machine, fix } = work;
  for (const [index, { path, after }] of fix.files.entries()) {
    const twins = runOf(work).journal.files[index];
    if (twins === undefined) continue;
    try {
      await makeTwin(machine, { path, after }, twins.newTwin);
      machine.link(path, twins.oldTwin);
    } catch (error) {
      throw new StepFailed(whyFailed(path, error));
    }
  }
  for (const folder of foldersOf(runOf(work))) machine.sync(folder);
  return "beside the real ones, with their mode, owner and attributes";
}

async function testFiles(work: Work): Promise<string> {
  const { machine, fix } = work;
  if (fix.sshd === null) return "";
  const staged = runOf(work).journal.files;
  const copy = (): readonly Copy[] => fix.copy(runOf(work).folder);
  return accepted(await testStaged(machine, fix.sshd, { staged, copy }));
}

function accepted(verdict: Verdict): string {
  switch (verdict.kind) {
    case "accepted":
      return verdict.text;
    case "refused":
      throw new StepFailed(`sshd refuses the result: ${verdict.because}`);
    case "untested":
      throw new StepFailed(
        `the result cannot be tested here (${verdict.because}): --no-validate goes on without`,
      );
  }
}

async function change(work: Work): Promise<void> {
  const { machine, fix } = work;
  await step(work, "write", async () => {
    swapFiles(work);
    const again = fix.sshd === null ? "" : `; ${accepted(await testLive(machine, fix.sshd))}`;
    return `${fix.files.length === 1 ? "1 file" : `${fix.files.length} files`}, atomically${again}`;
  });
  const { service } = fix;
  if (service === null)
    work.tell({ step: "restart", state: "skipped", text: "sshd keeps the old policy until it is restarted" });
  else await step(work, "restart", () => restartService(work, service));
  await step(work, "proof", async () => {
    const proof = await fix.prove();
    if (proof.kind === "fails") throw new StepFailed(proof.because);
    return proof.text;
  });
}

function swapFiles(work: Work): void {
  const { machine, fix } = work;
  work.run = recorded(work, () => advance(machine, runOf(work), { state: "swapping" }));
  // the last look before the swap: whoever edits a file at the same time must not lose that
  for (const file of fix.files) refuseIf(whyNotReplaceable(machine, file, { ownLinks: 1 }));
  work.changed = true;
  for (const { path, newTwin } of work.run.journal.files) {
    try {
      machine.rename(newTwin, path);
    } catch (error) {
      throw new StepFailed(whyFailed(path, error));
    }
  }
  for (const folder of foldersOf(work.run)) machine.sync(folder);
}

async function restartService(work: Work, service: NonNullable<LiveFix["service"]>): Promise<string> {
  work.run = recorded(work, () => advance(work.machine, runOf(work), { restarted: true }));
  const restarted = await service.restart();
  if (restarted.kind === "down") throw new StepFailed(restarted.because);
  return restarted.text;
}

function conclude(work: Work): Outcome {
  const { machine, fix } = work;
  refuseIf(fix.stopped());
  if (fix.confirm === null) {
    const run = recorded(work, () => keepRun(machine, runOf(work)));
    return { kind: "applied", run };
  }
  const deadline = deadlineIn(machine, fix.confirm.seconds);
  const run = recorded(work, () => advance(machine, runOf(work), { state: "unconfirmed", deadline }));
  return { kind: "unconfirmed", run };
}

/** Before the swap there is nothing but our own files to remove. */
async function takeBack({ machine, fix, run }: Work): Promise<void> {
  if (run === null) return;
  const { problems } = await undoRun(machine, run, null);
  await disarm(fix);
  if (problems.length === 0) discardQuietly(machine, run);
}

/** What stays armed finds nothing to undo: that it stays must hide no other reason. */
async function disarm({ confirm }: LiveFix): Promise<void> {
  await confirm?.disarm().catch(() => {});
}

async function rollBack(work: Work, because: string): Promise<Outcome> {
  const { machine, fix, tell } = work;
  tell({ step: "undo", state: "begun", text: "" });
  const undone = await undoRun(machine, runOf(work), fix.service?.bringBack ?? null);
  const service = undone.service === null ? "" : `; ${undone.service}`;
  const isWhole = undone.problems.length === 0;
  if (isWhole) await disarm(fix);
  tell({
    step: "undo",
    state: isWhole ? "ok" : "failed",
    text: isWhole ? `everything is as it was${service}` : undone.problems.join("; "),
  });
  return { kind: "rolled-back", because, undone };
}
