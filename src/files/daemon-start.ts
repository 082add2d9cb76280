/** Since when this host's sshd runs, as /proc tells (proc(5)): no program is asked. */
import { textOf } from "./file-text.ts";
import type { FileTree } from "./tree.ts";

export interface DaemonStart {
  readonly pid: number;
  /** milliseconds since 1970, to the second */
  readonly startedMs: number;
  /** of the pid file, which sshd writes anew when it is told to reload: a reload keeps pid and start time */
  readonly pidFileMs: number;
}

const PID_FILES = ["/run/sshd.pid", "/var/run/sshd.pid"];
/** USER_HZ, which is 100 on every architecture of Linux that Node.js runs on (proc(5), starttime). */
const TICKS_PER_SECOND = 100;
/** starttime is field 22; the name in field 2 may hold blanks, so fields are counted from behind it. */
const START_TIME_BEHIND_NAME = 19;

export function daemonStart(tree: FileTree): DaemonStart | null {
  const path = PID_FILES.find((candidate) => tree.stat(candidate) !== null);
  if (path === undefined) return null;
  const pid = Number(/^\d+/.exec(textOf(tree, path) ?? "")?.[0] ?? 0);
  const status = textOf(tree, `/proc/${pid}/stat`);
  const booted = /^btime (\d+)$/m.exec(textOf(tree, "/proc/stat") ?? "")?.[1];
  const name = status === null ? null : /^\d+ \((sshd.*)\) /.exec(status);
  const ticks = status?.slice(name?.[0].length).split(" ")[START_TIME_BEHIND_NAME];
  if (name === null || booted === undefined || ticks === undefined) return null;
  const startedMs = (Number(booted) + Number(ticks) / TICKS_PER_SECOND) * 1000;
  return { pid, startedMs, pidFileMs: tree.stat(path)?.modifiedMs ?? startedMs };
}
