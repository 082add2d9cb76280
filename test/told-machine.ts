/** A machine that only answers, with the processes, files and programs that a test names. */
import type { FileStatus, Machine, Ran } from "../src/host/machine.ts";
import { thisMachine } from "../src/host/this-machine.ts";

const here = thisMachine({ pid: process.pid, uid: 0, platform: "linux", command: [], caller: "a test" });
export const NOTHING: Ran = { status: 0, stdout: "", stderr: "", failed: null };

/** Without processes and files, but for these. */
export function answering(ran: Partial<Ran>, files: Readonly<Record<string, string>> = {}): Machine {
  return {
    ...here,
    readFile: (path) => (files[path] === undefined ? null : Buffer.from(files[path])),
    status: () => null,
    list: () => [],
    run: async () => ({ ...NOTHING, ...ran }),
  };
}

export const FILE: FileStatus = {
  kind: "file",
  size: 0,
  mode: 0o644,
  uid: 0,
  gid: 0,
  inode: 1,
  device: 1,
  hardLinks: 1,
  changedMs: 0,
  modifiedMs: 0,
};

export interface Listener {
  readonly pid: number;
  readonly words: readonly string[];
  /** 0: it listens on none */
  readonly port: number;
  /** the first process without it */
  readonly parent?: number;
  /** as /proc tells it: NAME=VALUE */
  readonly environment?: string;
  /** seconds ago; the machine is up for an hour */
  readonly age?: number;
  /** of its listening socket; its pid without it */
  readonly inode?: number;
  /** where its arguments lie */
  readonly image?: number;
  /** of systemd */
  readonly unit?: string;
}

const HOUR = 3600;

/** A machine with these sshds of root, each of which listens on a port of 0.0.0.0 and greets as sshd does. */
export function running(listeners: readonly Listener[]): Machine {
  const files = (): Readonly<Record<string, string>> =>
    Object.fromEntries(listeners.flatMap((one) => Object.entries(filesOf(one))));
  const inodeOf = (path: string): number => {
    const one = listeners.find(({ pid }) => path.startsWith(`/proc/${pid}/`));
    return one?.inode ?? one?.pid ?? 0;
  };
  let seconds = HOUR;
  return {
    ...answering({}),
    readFile: (path) => Buffer.from(files()[path] ?? ""),
    list: (path) => (path === "/proc" ? listeners.map(({ pid }) => String(pid)) : ["3"]),
    readLink: (path) => (path.endsWith("/exe") ? "/usr/sbin/sshd" : `socket:[${inodeOf(path)}]`),
    realPath: (path) => path,
    banner: async () => "SSH-2.0-OpenSSH_9.2",
    sleep: async () => {},
    uptime: () => HOUR,
    // a second for each look
    now: () => new Date(1000 * seconds++),
  };
}

function filesOf({
  pid,
  words,
  port,
  age = 60,
  inode = pid,
  image = 0,
  unit,
  parent = 1,
  environment = "",
}: Listener): Record<string, string> {
  const started = (HOUR - age) * 100;
  const socket = `00000000:${port.toString(16).padStart(4, "0")} 00000000:0000 0A 0 0 0 0 0 ${inode}`;
  return {
    [`/proc/${pid}/stat`]: `${pid} (sshd) S ${parent} ${"0 ".repeat(17)}${started} ${"0 ".repeat(25)}${image}`,
    [`/proc/${pid}/cmdline`]: words.join("\0"),
    [`/proc/${pid}/status`]: "Uid:\t0\t0\t0\t0\n",
    [`/proc/${pid}/net/tcp`]: port === 0 ? "" : `sl\n 0: ${socket}\n`,
    [`/proc/${pid}/environ`]: environment,
    ...(unit === undefined ? {} : { [`/proc/${pid}/cgroup`]: `0::/system.slice/${unit}\n` }),
  };
}
