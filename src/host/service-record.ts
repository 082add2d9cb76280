/** What a run writes down of the service, so that a later process brings back the same one, also when it is down. */

import { type Daemon, findDaemons, isSameDaemon } from "./daemon.ts";
import type { Machine } from "./machine.ts";
import { START_SLACK_MS, startTime } from "./processes.ts";
import { planRescue, type RescuePlan, rescue } from "./rescue.ts";
import { isActive, restartService } from "./restart.ts";
import { findService, type Service, type ServiceQuestion, type TestCommand } from "./service.ts";
import { type Endpoint, isAmong } from "./sockets.ts";
import type { Restarted, Restarter } from "./undo.ts";

export interface ServiceRecord extends ServiceQuestion {
  readonly how: "restart" | "reload";
  readonly silent: readonly Endpoint[];
  /** how it was managed before the change: once sshd is down nothing tells */
  readonly manager: Pick<Service, "kind" | "name" | "listens" | "restart" | "reload" | "status">;
  /** the sshd that ran before the change; null: none, or its sockets are held by systemd and tell nothing */
  readonly old: OldDaemon | null;
  /** null: there is none to plan, or a build before rescues wrote this */
  readonly rescue: RescuePlan | null;
}

interface OldDaemon {
  readonly process: Pick<Daemon["process"], "pid" | "started">;
  /** inodes: a restart and a reload make new ones */
  readonly sockets: readonly string[];
}

export function recordService(
  machine: Machine,
  service: Service,
  {
    next,
    ...asked
  }: ServiceQuestion & Pick<ServiceRecord, "how" | "silent"> & { readonly next: TestCommand | null },
): ServiceRecord {
  const { kind, name, listens, restart, reload, status, daemon } = service;
  const old = daemon === null || kind === "systemd-socket" ? null : recordDaemon(daemon);
  return {
    ...asked,
    manager: { kind, name, listens, restart, reload, status },
    old,
    rescue: planRescue(machine, service, next),
  };
}

function recordDaemon({ process: { pid, started }, listens }: Daemon): OldDaemon | null {
  return listens.size === 0 ? null : { process: { pid, started }, sockets: [...listens.keys()] };
}

/** The same service once more, in a later process, too. */
export function bringBack(machine: Machine, record: ServiceRecord): Restarter {
  const { rescue: plan, configFile, manager, silent } = record;
  return {
    restart: (since) => restartAgain(machine, record, since),
    rescue: async (because) =>
      plan === null
        ? { kind: "down", because }
        : rescue(machine, { plan, configFile, manager, silent, because }),
  };
}

/** A reload where one was asked for and there is a process to reload, else a restart. */
async function restartAgain(
  machine: Machine,
  { manager, how, silent, old, rescue: _, ...question }: ServiceRecord,
  since: number,
): Promise<Restarted> {
  const now = await findService(machine, question, besides(machine, question.configFile, manager.listens));
  // somebody else was quicker, or the manager: a --restart-command that ends sshd must not end that one
  if (
    now.daemon !== null &&
    isStartedSince(machine, now, { manager, since }) &&
    (await isActive(machine, now.status))
  )
    return { kind: "up", text: `sshd was started anew meanwhile: pid ${now.daemon.process.pid}` };
  // a process that has ended is told nothing: its number may be another's by now
  if (manager.kind === "foreground" && now.kind !== "foreground")
    return { kind: "down", because: `${manager.name} has ended: start sshd again as it was started` };
  const service: Service =
    manager.kind === "foreground" ? { ...now, listens: manager.listens } : { ...now, ...manager };
  const asked = how === "reload" && now.daemon !== null ? "reload" : "restart";
  const restarted = await restartService(machine, { ...question, how: asked, service, silent });
  if (restarted.kind === "up" || old === null || !isUntouched(machine, question, old)) return restarted;
  // a --restart-command that does nothing would else stand in the way of every later run
  return { kind: "up", text: `sshd was never restarted: pid ${old.process.pid} runs as before` };
}

/** An sshd that has read the files as they are, on all addresses. */
function isStartedSince(
  machine: Machine,
  { daemon, listens }: Service,
  { manager, since }: { readonly manager: ServiceRecord["manager"]; readonly since: number },
): boolean {
  if (daemon === null || startTime(machine, daemon.process) <= since + START_SLACK_MS) return false;
  return manager.listens.every((endpoint) => isAmong(listens, endpoint));
}

/** Whether that sshd still listens and has not read its files since. */
function isUntouched(
  machine: Machine,
  { configFile }: ServiceQuestion,
  { process, sockets }: OldDaemon,
): boolean {
  return findDaemons(machine, configFile).some(
    (now) => isSameDaemon({ process }, now) && sockets.every((inode) => now.listens.has(inode)),
  );
}

/** Where one of several listens as the service did, the rest are not it. */
function besides(machine: Machine, configFile: string, listens: readonly Endpoint[]): readonly Daemon[] {
  if (listens.length === 0) return [];
  const isService = (daemon: Daemon): boolean =>
    [...daemon.listens.values()].some((own) => isAmong(listens, own));
  return findDaemons(machine, configFile).filter((daemon) => !isService(daemon));
}
