/** What time it is, and how long this machine has been up: with both a start that /proc tells becomes a time of day. */
import { readFileSync } from "node:fs";

export interface BootClock {
  /** milliseconds since 1970 */
  readonly nowMs: number;
  /** seconds since the boot, of the same clock as the starts that /proc tells (proc(5), stat) */
  readonly upSeconds: number;
}

/**
 * In a container lxcfs(1) shows the container's own uptime, which is less (and a btime to match); the monotonic clock
 * (clock_gettime(2)) is less where the machine was asleep.
 */
export function secondsSinceBoot(): number {
  return Math.max(toldUptime(), Number(process.hrtime.bigint()) / 1e9);
}

function toldUptime(): number {
  try {
    return Number(readFileSync("/proc/uptime", "latin1").split(" ", 1)[0]);
  } catch {
    // a /proc of processes alone has none (proc(5), subset)
    return 0;
  }
}
