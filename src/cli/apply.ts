/** `audit --fix` on the live host's own file: guards, the transaction, and what became of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accountsOf } from "../files/accounts.ts";
import type { Plan } from "../fix/plan.ts";
import { standaloneCopy } from "../fix/standalone.ts";
import { STATE_FOLDER } from "../host/journal.ts";
import type { Machine } from "../host/machine.ts";
import { restartService, silentListens } from "../host/restart.ts";
import { commandLine, findService, type Service, type ServiceQuestion } from "../host/service.ts";
import { bringBack, recordService } from "../host/service-record.ts";
import { openSessions } from "../host/sessions.ts";
import { endangeredSessions } from "../host/systemd.ts";
import { applyFix, type LiveFix, type Outcome, type Proof } from "../host/transaction.ts";
import { remainsText } from "../host/undo.ts";
import { type SshdCommand, testAsUser } from "../host/validate.ts";
import { encode } from "../source/source.ts";
import { startOptions } from "../start/start-options.ts";
import type { ApplyOptions } from "./apply-options.ts";
import { type Live, type Signals, watchSignals } from "./live.ts";
import { tellUse, whyEnding, whyLockedOut, whyUnreturning, whyUntouchable } from "./live-guards.ts";
import { latin1 } from "./paths.ts";
import { proveEffect } from "./prove-effect.ts";
import type { Target } from "./target.ts";
import { tellPlan } from "./told-plan.ts";
import { tellSessions } from "./told-sessions.ts";
import { awaitConfirmation, chosenSeconds, confirmation } from "./wait.ts";

/** What a live target came to. `stopped`: why nothing is changed; null: all is done. */
export interface Applied {
  readonly stopped: string | null;
  readonly rolledBack: boolean;
}

/** A fix that is planned, and the sshd that is to take it up. */
interface Wanted {
  readonly target: Target;
  readonly plan: Plan;
  readonly options: ApplyOptions;
  /** null: none is installed */
  readonly sshd: SshdCommand | null;
}

export async function applyLive(
  live: Live,
  target: Target,
  { plan, options }: { readonly plan: Plan; readonly options: ApplyOptions },
): Promise<Applied> {
  const { machine, tell } = live;
  const question = { configFile: target.path, restartCommand: options.restartCommand ?? null };
  const service = await findService(machine, question);
  const start = startOptions(target.tree);
  const sshd = commandLine(machine, service, start);
  const wanted: Wanted = { target, plan, options, sshd };
  if (machine.self.uid !== 0) return { stopped: await rehearseAsUser(live, wanted), rolledBack: false };
  const sessions = await openSessions(machine);
  const stopped =
    tellPlan(live, target, { plan, options }) ??
    whyUntouchable(service, sshd, options) ??
    (await whyUnreturning(machine, service, { start, options })) ??
    whyLockedOut(machine, service, { target, plan, options, sessions }) ??
    whyEnding(endangeredSessions(machine, service, sessions), options) ??
    tellUse(live, { target, plan, options, sessions });
  if (stopped !== null) return { stopped, rolledBack: false };
  const isTerminal = process.stderr.isTTY === true;
  const seconds = chosenSeconds(machine, sessions, { confirm: options.confirm, isTerminal });
  const signals = watchSignals();
  const fix: LiveFix = {
    stateFolder: STATE_FOLDER,
    files: plan.files.map(({ realPath: path, before, after }) => ({
      path,
      before: encode(before),
      after: encode(after),
    })),
    sshd: options.validate ? sshd : null,
    copy: (folder) => standaloneCopy(plan.after, target.tree, folder),
    service: options.restart ? await restarting(machine, service, { question, wanted }) : null,
    prove: () => prove(machine, wanted),
    confirm: confirmation(machine, seconds),
    mode: options.dryRun === true ? "rehearse" : "apply",
    stopped: signals.stopped,
  };
  return conclude(live, await applyFix(machine, fix, tell), signals);
}

/** How the service takes the new files up, and the old ones again. */
async function restarting(
  machine: Machine,
  service: Service,
  { question, wanted }: { readonly question: ServiceQuestion; readonly wanted: Wanted },
): Promise<LiveFix["service"]> {
  const { options, sshd: next } = wanted;
  const how = options.reload === true ? "reload" : "restart";
  const silent = await silentListens(machine, service);
  const record = recordService(machine, service, { ...question, how, silent, next });
  return {
    record,
    restart: () => restartService(machine, { ...question, how, service, silent }),
    bringBack: bringBack(machine, record),
  };
}

/** Behind the restart: the host's own sshd is asked, and with --probe one of ours forwards. */
async function prove(machine: Machine, { target, plan, options, sshd }: Wanted): Promise<Proof> {
  const accounts = accountsOf(target.tree) ?? [];
  const said = await proveEffect(machine, options.validate ? sshd : null, { plan, accounts });
  if (said.kind === "fails" || options.probe !== true) return said;
  const { probeProof } = await import("./probe-proof.ts");
  const seen = await probeProof(target, plan.after);
  return seen.kind === "fails" ? seen : { kind: "holds", text: `${said.text}\n${seen.text}` };
}

/** What an ordinary user can try of a fix: its proof, and sshd's own test of a copy. */
async function rehearseAsUser(live: Live, { target, plan, options, sshd }: Wanted): Promise<string> {
  const { machine, tell } = live;
  const unproved = tellPlan(live, target, { plan, options });
  if (unproved !== null || sshd === null || !options.validate) return unproved ?? A_DRY_RUN;
  const folder = mkdtempSync(join(tmpdir(), "sshd-policy-"));
  const inside = latin1(folder);
  try {
    const files = standaloneCopy(plan.after, target.tree, inside);
    const verdict = await testAsUser(machine, sshd, { folder: inside, files });
    const isOk = verdict.kind === "accepted";
    tell({ step: "test", state: isOk ? "ok" : "failed", text: isOk ? verdict.text : verdict.because });
    return isOk ? A_DRY_RUN : verdict.because;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const A_DRY_RUN = "a dry run; without --dry-run it would be done";

async function conclude(live: Live, outcome: Outcome, signals: Signals): Promise<Applied> {
  switch (outcome.kind) {
    case "refused":
      return { stopped: outcome.because, rolledBack: false };
    case "rehearsed":
      return { stopped: A_DRY_RUN, rolledBack: false };
    case "rolled-back":
      return { stopped: rolledBackText(outcome), rolledBack: true };
    case "applied":
      await tellSessions(live);
      return { stopped: null, rolledBack: false };
    case "unconfirmed": {
      await tellSessions(live);
      const notKept = await awaitConfirmation(live, outcome.run, signals);
      return { stopped: notKept, rolledBack: notKept !== null };
    }
  }
}

function rolledBackText({ because, undone }: Extract<Outcome, { kind: "rolled-back" }>): string {
  const remains = remainsText(undone);
  return remains === null ? because : `${because}; ${remains}`;
}
