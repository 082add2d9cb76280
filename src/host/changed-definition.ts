/** What was changed of how sshd is started since it was started last: nobody has tried a start with it yet. */
import type { Daemon } from "./daemon.ts";
import type { Machine } from "./machine.ts";
import { realPathOf, startTime, statusOf } from "./processes.ts";

/** One reason a file, with what to do; `restart`: the command that tries such a start. */
export function changedSince(
  machine: Machine,
  daemon: Daemon,
  { paths, restart }: { readonly paths: readonly string[]; readonly restart: string },
): readonly string[] {
  const started = startTime(machine, daemon.process) + START_SLACK_MS;
  const now = machine.now().getTime();
  const isNewer = (path: string): boolean => {
    // generators write theirs anew at each daemon-reload
    if (!path.startsWith("/") || path.startsWith("/run/systemd/generator")) return false;
    const changed = statusOf(machine, realPathOf(machine, path) ?? path)?.changedMs;
    // a time that is still to come says nothing: the clock was set back
    return changed !== undefined && changed > started && changed <= now;
  };
  return [...new Set(paths)]
    .filter(isNewer)
    .map(
      (path) =>
        `${path} was changed since it started, and nobody has tried a start with that: ${restart} does`,
    );
}

/** The kernel counts a start in hundredths of a second, as it does what has passed since the boot. */
const START_SLACK_MS = 100;
