/** What stops a fix of the live host before anything is changed: each guard gives the reason, or null. */
import type { Config } from "../config/config.ts";
import { accountsOf } from "../files/accounts.ts";
import type { Account, FileTree } from "../files/tree.ts";
import type { Plan } from "../fix/plan.ts";
import { whyNotBack } from "../host/comeback.ts";
import type { Machine } from "../host/machine.ts";
import { typedCommand } from "../host/managed-service.ts";
import { startTime } from "../host/processes.ts";
import type { Definition, Service } from "../host/service.ts";
import type { Session } from "../host/sessions.ts";
import type { UsedCapability } from "../host/uses.ts";
import type { SshdCommand } from "../host/validate.ts";
import type { Connection } from "../policy/connection.ts";
import { evaluate, isAnswer } from "../policy/evaluate.ts";
import { refusedUses } from "../policy/held-use.ts";
import { keyFilesOf } from "../policy/key-files.ts";
import { loginOf } from "../policy/login.ts";
import { type Prover, whyNothingTaken } from "../policy/proofs.ts";
import { counted } from "../report/text.ts";
import { decode } from "../source/source.ts";
import { daemonStart, unreadFiles } from "../start/daemon-start.ts";
import type { ApplyOptions } from "./apply-options.ts";
import type { Live } from "./live.ts";
import type { Target } from "./target.ts";

export function whyUntouchable(
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

/** Nothing that the undo relies on may be broken before the fix has begun. */
export async function whyUnreturning(
  machine: Machine,
  service: Service,
  { start, options }: { readonly start: Definition; readonly options: ApplyOptions },
): Promise<string | null> {
  if (!options.restart || options.force === true) return null;
  const how = options.reload === true ? "reload" : "restart";
  const reasons = await whyNotBack(machine, { service, start, how });
  if (reasons.length === 0) return null;
  return `sshd would not come back from a ${how}, nor from the undo's: ${reasons.join("; ")}; --no-restart leaves it running, --force goes on all the same`;
}

/**
 * What a restart takes up besides the fix stays when it is undone: whoever is logged in now must be able to log in under it.
 */
export function whyLockedOut(
  machine: Machine,
  service: Service,
  { target, plan, options, sessions }: UseRequest,
): string | null {
  if (!options.restart || options.force === true) return null;
  const unread = filesUnread(machine, service, { target, plan });
  if (unread.length === 0) return null;
  const accounts = accountsOf(target.tree) ?? [];
  const [refused] = sessions.flatMap((session) => {
    const account = accounts.find(({ name }) => name === session.user);
    const isRoot = account?.uid === 0;
    const mayHaveKey = account === undefined || mayFindKey(target.tree, plan.before, account);
    const because = whyNoLogin(plan.before, connectionOf(session, accounts), { isRoot, mayHaveKey });
    return because === null ? [] : [`${session.user} (process ${session.pid}) could not log in: ${because}`];
  });
  if (refused === undefined) return null;
  const how = options.reload === true ? "reload" : "restart";
  const command = service[how];
  const tries = command === null ? "" : ` (${typedCommand(service, command)})`;
  return `sshd has not read ${unread.join(" and ")} as it is now, and no undo takes back what a ${how} takes up of it; under it ${refused}. ${how[0]?.toUpperCase()}${how.slice(1)} sshd first${tries} and log in anew; --no-restart leaves sshd as it runs, --force goes on all the same`;
}

function filesUnread(
  machine: Machine,
  { daemon }: Service,
  { target, plan }: Pick<UseRequest, "target" | "plan">,
): readonly string[] {
  if (daemon === null) return [];
  const clock = { nowMs: machine.now().getTime(), upSeconds: machine.uptime() };
  const told = daemonStart(target.tree, clock);
  const readMs = told?.pid === daemon.process.pid ? told.readMs : startTime(machine, daemon.process);
  const files = plan.before.files.map(({ realPath }) => realPath);
  return [...unreadFiles(target.tree, { ...clock, readMs }, files).keys()];
}

function whyNoLogin(config: Config, connection: Connection, prover: Prover): string | null {
  const effective = evaluate(config, connection);
  if (!isAnswer(effective)) return "sshd would end the connection";
  const { login, because } = loginOf(effective, connection, config);
  return login === "impossible" ? because : whyNothingTaken(effective, prover);
}

function mayFindKey(tree: FileTree, config: Config, account: Account): boolean {
  return keyFilesOf(config, [account]).some(({ path }) => {
    const content = tree.read(path);
    if (content.kind === "file") return /^[ \t]*[^#\s]/m.test(decode(content.bytes));
    return content.kind === "unreadable" && content.code !== "ENOENT";
  });
}

/** Some units end the sessions with the service: the administrator's own would be among them. */
export function whyEnding(
  sessions: readonly Session[],
  { restart, reload, force }: ApplyOptions,
): string | null {
  if (sessions.length === 0 || !restart || reload === true || force === true) return null;
  const number = counted(sessions.length, "open session");
  return `a restart would end ${number} (KillMode of the unit): --reload keeps them, --force goes on all the same`;
}

interface UseRequest {
  readonly target: Target;
  readonly plan: Plan;
  readonly options: ApplyOptions;
  readonly sessions: readonly Session[];
}

/** Forwards that people hold now and would lose stop the fix, unless forced. */
export function tellUse({ tell }: Live, { target, plan, options, sessions }: UseRequest): string | null {
  const accounts = accountsOf(target.tree) ?? [];
  const held = sessions.flatMap((session) =>
    session.uses.map((use) => ({ ...use, session, connection: connectionOf(session, accounts) })),
  );
  const lost = refusedUses(plan.before, plan.after, held);
  const checked = `checked ${counted(sessions.length, "session")}`;
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
    ? `${counted(lost.length, "forward")} in use now would be refused; --force goes on all the same`
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
