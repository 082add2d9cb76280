/**
 * Would sshd come back from a restart as everything stands now? Asked once, before anything changes: an undo puts back
 * the files and starts sshd again, so what was broken before the fix would keep sshd down after the undo, too. A start
 * that nobody has tried since something of it was changed counts as broken.
 */
import { testArguments } from "./command-line.ts";
import type { Daemon } from "./daemon.ts";
import { scriptObstacles } from "./init-systems.ts";
import type { Machine } from "./machine.ts";
import { whyRescueFirst } from "./rescue.ts";
import {
  configuredListens,
  type Definition,
  recognise,
  type Service,
  startCommand,
  type TestCommand,
} from "./service.ts";
import { isAmong, printEndpoint } from "./sockets.ts";
import { isUnit, unitObstacles, unitOf } from "./systemd.ts";
import { whyRefusedAsItStands } from "./validate.ts";

export interface ComebackQuestion {
  readonly service: Service;
  /** what the service's definition says of sshd's options */
  readonly start: Definition;
  readonly how: "restart" | "reload";
}

/** Why it would not, each with what to do; empty: it would, or no sshd runs that could be lost. */
export async function whyNotBack(machine: Machine, question: ComebackQuestion): Promise<readonly string[]> {
  const { service, how } = question;
  const { daemon } = service;
  if (daemon === null) return [];
  const rescue = whyRescueFirst(machine, service);
  if (rescue !== null) return [rescue];
  const next = nextCommand(question, daemon);
  const refused = await whyRefusedAsItStands(machine, next);
  const manager = isStart(service, how) ? await managerObstacles(machine, service, daemon) : [];
  const rest = [...manager, ...(refused === null ? await lostAddresses(machine, question, next) : [])];
  return refused === null ? rest : [refused, ...rest];
}

/** A reload executes sshd anew in its own process, as SIGHUP does: no manager is asked. */
function isStart({ kind }: Service, how: ComebackQuestion["how"]): boolean {
  return how === "restart" && kind !== "foreground";
}

/** sshd as it is run next: as its definition says where that is read, else as it was run before. */
function nextCommand({ service, start, how }: ComebackQuestion, daemon: Daemon): TestCommand {
  const isDefined = isStart(service, how) && start.limit === null && isRead(service);
  return isDefined
    ? startCommand(daemon.program, start)
    : { program: daemon.program, options: testArguments(daemon.options) };
}

/** Whether it is the service whose definition is read: one of the usual units, or the script of another init system. */
function isRead({ kind, restart }: Service): boolean {
  if (kind === "systemd") return /^sshd?\.service$/.test(restart?.at(-1) ?? "");
  return kind === "openrc" || kind === "sysv";
}

/** What of the service's own definition stands in the way, whoever gives the command. */
async function managerObstacles(
  machine: Machine,
  { kind, restart }: Service,
  daemon: Daemon,
): Promise<readonly string[]> {
  const unit = unitOf(machine, daemon.process.pid);
  const managed = kind === "given" ? await recognise(machine, daemon) : { kind, restart };
  if (managed.kind === "systemd" || managed.kind === "systemd-socket")
    return isUnit(unit) ? unitObstacles(machine, daemon, unit) : [];
  return scriptObstacles(machine, daemon, managed);
}

/** Addresses that sshd listens on now and that a start with the files as they are would give up. */
async function lostAddresses(
  machine: Machine,
  { service }: ComebackQuestion,
  next: TestCommand,
): Promise<readonly string[]> {
  // systemd keeps the sockets that it holds, whatever the files say
  if (service.kind === "systemd-socket" || service.daemon === null) return [];
  const wanted = await configuredListens(machine, next);
  const lost =
    wanted === null ? [] : [...service.daemon.listens.values()].filter((one) => !isAmong(wanted, one));
  if (lost.length === 0) return [];
  const where = lost.map(printEndpoint).join(" and ");
  return [
    `it would not listen on ${where} any more: the files, or how it is started, were changed since it started; restart it first if that is meant`,
  ];
}
