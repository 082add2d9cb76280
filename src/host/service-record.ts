/** What a run writes down of the service, so that a later process brings back the same one, also when it is down. */

import { type Daemon, findDaemons, isSameDaemon } from "./daemon.ts";
import type { Machine } from "./machine.ts";
import { restartService } from "./restart.ts";
import { findService, type Service, type ServiceQuestion } from "./service.ts";
import { type Endpoint, isAmong } from "./sockets.ts";
import type { Restarted } from "./undo.ts";

export interface ServiceRecord extends ServiceQuestion {
  readonly how: "restart" | "reload";
  readonly silent: readonly Endpoint[];
  /** how it was managed before the change: once sshd is down nothing tells */
  readonly manager: Pick<Service, "kind" | "name" | "listens" | "restart" | "reload" | "status">;
  /** the sshd that ran before the change; null: none, or its sockets are held by systemd and tell nothing */
  readonly old: OldDaemon | null;
}

interface OldDaemon {
  readonly process: Pick<Daemon["process"], "pid" | "started">;
  /** inodes: a restart and a reload make new ones */
  readonly sockets: readonly string[];
}

export function recordService(
  { kind, name, listens, restart, reload, status, daemon }: Service,
  asked: ServiceQuestion & Pick<ServiceRecord, "how" | "silent">,
): ServiceRecord {
  const old = daemon === null || kind === "systemd-socket" ? null : recordDaemon(daemon);
  return { ...asked, manager: { kind, name, listens, restart, reload, status }, old };
}

function recordDaemon({ process: { pid, started }, listens }: Daemon): OldDaemon | null {
  return listens.size === 0 ? null : { process: { pid, started }, sockets: [...listens.keys()] };
}

/** A reload where one was asked for and there is a process to reload, else a restart. */
export function bringBack(
  machine: Machine,
  { manager, how, silent, old, ...question }: ServiceRecord,
): () => Promise<Restarted> {
  return async () => {
    const now = await findService(machine, question, besides(machine, question.configFile, manager.listens));
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
  };
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
