/** What this host's sshd read its files as, and when, as /proc tells (proc(5)): no program is asked. */
import type { BootClock } from "../files/boot-clock.ts";
import { textOf } from "../files/file-text.ts";
import type { FileTree } from "../files/tree.ts";

export interface DaemonStart {
  readonly pid: number;
  /** when it read its files last, in milliseconds since 1970 */
  readonly readMs: number;
}

const PID_FILES = ["/run/sshd.pid", "/var/run/sshd.pid"];
/** USER_HZ, which is 100 on every architecture of Linux that Node.js runs on (proc(5), starttime). */
const TICKS_PER_SECOND = 100;
/** starttime is field 22; the name in field 2 may hold blanks, so fields are counted from behind it. */
const START_TIME_BEHIND_NAME = 19;

/**
 * sshd writes its pid file anew when it is told to reload, which keeps pid and start time. Its start counts, too: the clock
 * may have been wrong when the pid file was written, before a network told the time.
 */
export function daemonStart(tree: FileTree, { nowMs, upSeconds }: BootClock): DaemonStart | null {
  const path = PID_FILES.find((candidate) => tree.stat(candidate) !== null);
  if (path === undefined) return null;
  const pid = Number(/^\d+/.exec(textOf(tree, path) ?? "")?.[0] ?? 0);
  const status = textOf(tree, `/proc/${pid}/stat`);
  const name = status === null ? null : /^\d+ \((sshd.*)\) /.exec(status);
  const ticks = status?.slice(name?.[0].length).split(" ")[START_TIME_BEHIND_NAME];
  if (name === null || ticks === undefined) return null;
  const startedMs = nowMs - (upSeconds - Number(ticks) / TICKS_PER_SECOND) * 1000;
  return { pid, readMs: Math.max(startedMs, tree.stat(path)?.modifiedMs ?? 0) };
}

/** What lies between the reading and the pid file, and what either time may be off. */
const SLACK_MS = 1000;

/** The files that were changed since, with when (milliseconds since 1970). */
export function unreadFiles(
  tree: FileTree,
  { readMs, nowMs }: Pick<DaemonStart, "readMs"> & Pick<BootClock, "nowMs">,
  files: readonly string[],
): ReadonlyMap<string, number> {
  const times = files.map((file) => [file, tree.stat(file)?.modifiedMs ?? 0] as const);
  // a time that is still to come says nothing: the clock was set back, or an archive brought it along
  return new Map(times.filter(([, changed]) => changed > readMs + SLACK_MS && changed <= nowMs));
}
