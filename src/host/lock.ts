/**
 * One run at a time. Each run makes a lock file of its own name and then looks for others: of two that overlap the
 * later one always sees the earlier, so never do both go on; a lock whose process is gone counts for nothing.
 */
import type { Machine } from "./machine.ts";
import { readProcess } from "./processes.ts";

export type Lock =
  | { readonly kind: "held"; readonly release: () => void }
  | { readonly kind: "busy"; readonly because: string };

export function takeLock(machine: Machine, stateFolder: string): Lock {
  const { pid } = machine.self;
  const own = `lock.${pid}.${startTimeOf(machine, pid) ?? "0"}`;
  const release = (): void => machine.unlink(`${stateFolder}/${own}`);
  if (machine.status(`${stateFolder}/${own}`) === null) machine.create(`${stateFolder}/${own}`);
  for (const name of machine.list(stateFolder) ?? []) {
    const [, other = "", since = ""] = /^lock\.(\d+)\.(\d+)$/.exec(name) ?? [];
    if (other === "" || name === own) continue;
    if (isAlive(machine, Number(other), since)) {
      release();
      return { kind: "busy", because: `another run is at work on this host (process ${other})` };
    }
    machine.unlink(`${stateFolder}/${name}`);
  }
  return { kind: "held", release };
}

/** The same process, not a later one with its number. */
function isAlive(machine: Machine, pid: number, since: string): boolean {
  if (machine.self.platform === "linux") return startTimeOf(machine, pid) === since;
  try {
    machine.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** In clock ticks since boot (proc(5), /proc/PID/stat field 22); null where there is no such process. */
function startTimeOf(machine: Machine, pid: number): string | null {
  return readProcess(machine, pid)?.started.toString() ?? null;
}
