/** The processes of this machine as Linux tells them (proc(5)). Those of containers are left out: their root is another. */
import type { FileStatus, Machine } from "./machine.ts";

/** A process may end while it is read, or be somebody else's: all the same, nothing is known of it. */
function orNull<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** latin1 */
export function textOf(machine: Machine, path: string): string | null {
  const bytes = orNull(() => machine.readFile(path));
  return bytes === null ? null : Buffer.from(bytes).toString("latin1");
}

export function listOf(machine: Machine, folder: string): readonly string[] {
  return orNull(() => machine.list(folder)) ?? [];
}

export function linkOf(machine: Machine, path: string): string | null {
  return orNull(() => machine.readLink(path));
}

export function realPathOf(machine: Machine, path: string): string | null {
  return orNull(() => machine.realPath(path));
}

export function statusOf(machine: Machine, path: string): FileStatus | null {
  return orNull(() => machine.status(path));
}

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** short name, at most 15 bytes */
  readonly name: string;
  /** argv, or the title that the program wrote over it, as its first word */
  readonly words: readonly string[];
  /** the program's file; null where only its owner or root may know */
  readonly program: string | null;
  /** ticks of 1/100 s since the boot: with the pid it names a process for good */
  readonly started: number;
  /** where its arguments lie: another place after each exec, also of the same program in the same process */
  readonly image: string;
}

/** Empty on other systems: nothing here reads their process tables. */
export function listProcesses(machine: Machine): readonly Process[] {
  if (machine.self.platform !== "linux") return [];
  const ours = statusOf(machine, "/proc/self/root/.");
  return listOf(machine, "/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const root = statusOf(machine, `/proc/${name}/root/.`);
    if (root !== null && (root.inode !== ours?.inode || root.device !== ours.device)) return [];
    const found = readProcess(machine, Number(name));
    return found === null ? [] : [found];
  });
}

/** Null: it has ended. */
export function readProcess(machine: Machine, pid: number): Process | null {
  const stat = textOf(machine, `/proc/${pid}/stat`);
  if (stat === null) return null;
  // the name stands in parentheses and may hold any byte, also a parenthesis
  const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // a zombie, which the first process of a container may never fetch (proc(5), state)
  if (fields[0] === "Z") return null;
  const words = (textOf(machine, `/proc/${pid}/cmdline`) ?? "").split("\0");
  while (words.length > 1 && words.at(-1) === "") words.pop();
  const program = linkOf(machine, `/proc/${pid}/exe`);
  return {
    pid,
    parent: Number(fields[1] ?? 0),
    name,
    words,
    // an upgrade replaced the file under the running program
    program: program?.replace(/ \(deleted\)$/, "") ?? null,
    started: Number(fields[19] ?? 0),
    image: `${fields[25] ?? ""} ${fields[45] ?? ""}`,
  };
}

/**
 * Whether root runs it, or the caller: any other account can give a process sshd's name and title, and what it claims
 * must not be run or restarted. All four ids count (proc(5), status): a set-uid program runs for somebody else.
 */
export function isTrusted(machine: Machine, { pid }: Process): boolean {
  const ids = /^Uid:\t(.*)$/m.exec(textOf(machine, `/proc/${pid}/status`) ?? "")?.[1];
  return ids?.split("\t").every((id) => id === "0" || id === String(machine.self.uid)) ?? false;
}

/** The process itself, its parent and so on up to the first. */
export function ancestors(all: readonly Process[], pid: number): readonly Process[] {
  const byPid = new Map(all.map((process) => [process.pid, process]));
  const line: Process[] = [];
  for (let next = byPid.get(pid); next !== undefined && !line.includes(next); next = byPid.get(next.parent)) {
    line.push(next);
  }
  return line;
}

/** What startTime may be off: the kernel counts a start in hundredths of a second, as it does what has passed since the boot. */
export const START_SLACK_MS = 100;

/** When a process started, in milliseconds since 1970. */
export function startTime(machine: Machine, { started }: Process): number {
  return machine.now().getTime() - (machine.uptime() - started / 100) * 1000;
}
