/** `audit --fix` on the live host's own file: guards, the transaction, and what became of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changedLines } from "../diff/diff.ts";
import { accountsOf } from "../files/accounts.ts";
import { startOptions } from "../files/start-options.ts";
import type { Account } from "../files/tree.ts";
import { keywordOf, type Plan, type PlannedFile } from "../fix/plan.ts";
import { proveFix } from "../fix/proof.ts";
import { standaloneCopy } from "../fix/standalone.ts";
import { STATE_FOLDER } from "../host/journal.ts";
import { restartService } from "../host/restart.ts";
import { commandLine, findService, type Service } from "../host/service.ts";
import { bringBack, recordService } from "../host/service-record.ts";
import { openSessions, originOf, type Session } from "../host/sessions.ts";
import { endangeredSessions } from "../host/systemd.ts";
import { applyFix, type LiveFix, type Outcome } from "../host/transaction.ts";
import type { UsedCapability } from "../host/uses.ts";
import { type SshdCommand, testAsUser } from "../host/validate.ts";
import type { Connection } from "../policy/connection.ts";
import { refusedUses } from "../policy/held-use.ts";
import { encode, positionAt } from "../source/source.ts";
import type { Live } from "./live.ts";
import { watchSignals } from "./live.ts";
import { proveEffect } from "./prove-effect.ts";
import { latin1, type Target } from "./targets.ts";
import { awaitConfirmation, chosenSeconds, confirmation } from "./wait.ts";

export interface ApplyOptions {
  readonly dryRun?: boolean;
  /** false with --no-restart */
  readonly restart: boolean;
  readonly reload?: boolean;
  readonly restartCommand?: string;
  /** false with --no-validate */
  readonly validate: boolean;
  readonly force?: boolean;
  readonly probe?: boolean;
  /** seconds; 0: not asked for */
  readonly confirm?: number;
}

/** What a live target came to. `stopped`: why nothing is changed; null: all is done. */
export interface Applied {
  readonly stopped: string | null;
  readonly rolledBack: boolean;
}

export async function applyLive(
  live: Live,
  target: Target,
  { plan, options }: { readonly plan: Plan; readonly options: ApplyOptions },
): Promise<Applied> {
  const { machine, tell } = live;
  const question = { configFile: target.path, restartCommand: options.restartCommand ?? null };
  const service = await findService(machine, question);
  const sshd = commandLine(machine, service, startOptions(target.tree));
  if (machine.self.uid !== 0)
    return { stopped: await rehearseAsUser(live, target, { plan, options, sshd }), rolledBack: false };
  const sessions = await openSessions(machine);
  const stopped =
    tellPlan(live, target, { plan, options }) ??
    whyUntouchable(service, sshd, options) ??
    whyEnding(endangeredSessions(machine, service, sessions), options) ??
    tellUse(live, { target, plan, options, sessions });
  if (stopped !== null) return { stopped, rolledBack: false };
  const how = options.reload === true ? "reload" : "restart";
  const isTerminal = process.stderr.isTTY === true;
  const seconds = chosenSeconds(machine, sessions, { confirm: options.confirm, isTerminal });
  const record = recordService(service, { ...question, how });
  const fix: LiveFix = {
    stateFolder: STATE_FOLDER,
    files: plan.files.map(({ realPath: path, before, after }) => ({
      path,
      before: encode(before),
      after: encode(after),
    })),
    sshd: options.validate ? sshd : null,
    copy: (folder) => standaloneCopy(plan.after, target.tree, folder),
    service: options.restart
      ? {
          record,
          restart: () => restartService(machine, { ...question, how, service }),
          bringBack: bringBack(machine, record),
        }
      : null,
    prove: async () => {
      const accounts = accountsOf(target.tree) ?? [];
      const said = await proveEffect(machine, options.validate ? sshd : null, { plan, accounts });
      if (said.kind === "fails" || options.probe !== true) return said;
      const { probeProof } = await import("./probe-proof.ts");
      const seen = await probeProof(target, plan.after);
      return seen.kind === "fails" ? seen : { kind: "holds", text: `${said.text}\n${seen.text}` };
    },
    confirm: confirmation(machine, seconds),
    mode: options.dryRun === true ? "rehearse" : "apply",
    stopped: watchSignals(),
  };
  return conclude(live, await applyFix(machine, fix, tell));
}

/** What an ordinary user can try of a fix: its proof, and sshd's own test of a copy. */
async function rehearseAsUser(
  live: Live,
  target: Target,
  { plan, options, sshd }: { plan: Plan; options: ApplyOptions; sshd: SshdCommand | null },
): Promise<string> {
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

async function conclude(live: Live, outcome: Outcome): Promise<Applied> {
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
      const kept = await awaitConfirmation(live, outcome.run);
      return { stopped: kept ? null : "nobody confirmed it in time", rolledBack: !kept };
    }
  }
}

function rolledBackText({ because, undone }: Extract<Outcome, { kind: "rolled-back" }>): string {
  if (undone.problems.length === 0) return because;
  return `${because}. NOT everything is as it was: ${undone.problems.join("; ")}. "sshd-policy recover" tries again`;
}

/** The plan in words; why it is not to be carried out, or null. */
function tellPlan(
  { tell }: Live,
  target: Target,
  { plan, options }: { readonly plan: Plan; readonly options: ApplyOptions },
): string | null {
  const { losses, unasked, limits } = proveFix(plan, target.world);
  const doubt = unasked[0] ?? limits[0];
  const edits = plan.files.flatMap(editTexts);
  const proof = doubt === undefined ? "nothing else changes meaning (proved for every connection)" : doubt;
  const head = `${count(edits.length, "line")} in ${count(plan.files.length, "file")}, ${proof}`;
  const isStopped = doubt !== undefined && options.force !== true;
  tell({
    step: "plan",
    state: isStopped ? "failed" : "ok",
    text: [head, ...edits, ...leftTexts(plan), ...losses.map((loss) => `who loses: ${loss}`)].join("\n"),
  });
  return isStopped ? `not proved: ${doubt}; --force goes on all the same` : null;
}

/** What stays as it is, and why: "/etc/ssh/sshd_config:121  left open, written on purpose: … (--unsafe-fixes closes it)". */
function leftTexts({ remaining, refused }: Plan): string[] {
  const left = remaining.flatMap(({ fix, place, message }) => {
    if (fix?.safety !== "unsafe") return [];
    const { line } = positionAt(place.source, place.span.start);
    return [
      `  ${place.source.path}:${line}  left open, written on purpose (--unsafe-fixes closes it): ${message}`,
    ];
  });
  const impossible = refused.map(
    ({ change, because }) => `  ${keywordOf(change)}  left as it is: ${because}`,
  );
  return [...new Set([...left, ...impossible])];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** "/etc/ssh/sshd_config:88  AllowTcpForwarding yes -> AllowTcpForwarding no". */
function editTexts({ shown, before, after }: PlannedFile): string[] {
  return changedLines({ name: shown, before, after }).map(
    ({ line, before: old, after: now }) =>
      `  ${shown}:${line}  ${[old, now].map((text) => (text ?? "").replace(/[\t\r ]+/g, " ").replace(/ $/, "")).join(" -> ")}`,
  );
}

function whyUntouchable(
  service: Service,
  sshd: SshdCommand | null,
  { restart, validate }: ApplyOptions,
): string | null {
  if (restart && service.kind === "unknown")
    return `it is not known how sshd is restarted here (${service.name}): ${service.advice ?? ""}, or --no-restart`;
  if (validate && sshd === null)
    return "no sshd is installed that could test the result: --no-validate goes on without";
  return null;
}

/** A restart ends no session: they keep the policy that they were let in with. */
async function tellSessions({ machine, tell }: Live): Promise<void> {
  const sessions = await openSessions(machine);
  if (sessions.length === 0) return;
  const origin = originOf(machine, sessions, machine.self.pid);
  const lines = sessions.map((session) => {
    const { user, terminals, since, client, pid } = session;
    const where = terminals.length === 0 ? "no terminal" : terminals.join(" ");
    const from = client === null ? "" : ` from ${client.address}`;
    const mark = origin.kind === "session" && origin.session === session ? ", this one" : "";
    return `${user} (${where}${from}, since ${clockTime(since)}${mark}): kill ${pid} ends it`;
  });
  const head = `${count(sessions.length, "session")} still open, with the policy of before`;
  tell({ step: "sessions", state: "ok", text: [head, ...lines].join("\n") });
}

/** "2026-11-22 09:12" in local time. */
function clockTime(time: Date): string {
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16).replace("T", " ");
}

/** Some units end the sessions with the service: the administrator's own would be among them. */
function whyEnding(sessions: readonly Session[], { restart, reload, force }: ApplyOptions): string | null {
  if (sessions.length === 0 || !restart || reload === true || force === true) return null;
  const number = count(sessions.length, "open session");
  return `a restart would end ${number} (KillMode of the unit): --reload keeps them, --force goes on all the same`;
}

interface UseRequest {
  readonly target: Target;
  readonly plan: Plan;
  readonly options: ApplyOptions;
  readonly sessions: readonly Session[];
}

/** Forwards that people hold now and would lose stop the fix, unless forced. */
function tellUse({ tell }: Live, { target, plan, options, sessions }: UseRequest): string | null {
  const accounts = accountsOf(target.tree) ?? [];
  const held = sessions.flatMap((session) =>
    session.uses.map((use) => ({ ...use, session, connection: connectionOf(session, accounts) })),
  );
  const lost = refusedUses(plan.before, plan.after, held);
  const checked = `checked ${count(sessions.length, "session")}`;
  if (lost.length === 0) {
    tell({ step: "use", state: "ok", text: `nobody holds a forward that would be refused (${checked})` });
    return null;
  }
  const isStopped = options.force !== true;
  tell({
    step: "use",
    state: isStopped ? "failed" : "ok",
    text: lost
      .map(
        ({ session, capability, where }) =>
          `${session.user} holds ${useText(capability, where)} (process ${session.pid})`,
      )
      .join("\n"),
  });
  return isStopped
    ? `${count(lost.length, "forward")} in use now would be refused; --force goes on all the same`
    : null;
}

function useText(capability: UsedCapability, where: string): string {
  switch (capability) {
    case "tcp-local":
      return `a connection to ${where} (-L -D -J)`;
    case "tcp-remote":
      return `a listener on ${where} (-R)`;
    case "unix-local":
      return `a connection to the socket ${where} (-L)`;
    case "unix-remote":
      return `a listener on the socket ${where} (-R)`;
    case "tun":
      return "a tunnel device (-w)";
    case "x11":
      return `X11 forwarding on ${where} (-X)`;
    case "agent":
      return "agent forwarding (-A)";
  }
}

function connectionOf({ user, client, server }: Session, accounts: readonly Account[]): Connection {
  const addr = client?.address ?? null;
  return {
    user,
    groups: accounts.find(({ name }) => name === user)?.groups ?? null,
    host: addr,
    addr,
    laddr: server?.address ?? null,
    lport: server?.port ?? null,
    rdomain: "",
    invalidUser: false,
  };
}
