/** What was changed of how sshd is started since it was started last: nobody has tried a start with it yet. */
import type { Daemon } from "./daemon.ts";
import type { FileStatus, Machine } from "./machine.ts";
import { realPathOf, START_SLACK_MS, startTime, statusOf } from "./processes.ts";

/** One reason a file, with what to do; `restart`: the command that tries such a start. */
export function changedSince(
  machine: Machine,
  daemon: Daemon,
  { paths, restart }: { readonly paths: readonly string[]; readonly restart: string },
): readonly string[] {
  const started = startTime(machine, daemon.process) + START_SLACK_MS;
  const now = machine.now().getTime();
  const isNewer = ([file, path]: readonly [string, string]): boolean => {
    if (!path.startsWith("/") || NOT_ITS_OWN.test(path)) return false;
    const status = statusOf(machine, file);
    const changed = status === null ? null : changeOf(status);
    // a time that is still to come says nothing: the clock was set back
    return changed !== null && changed > started && changed <= now;
  };
  // /lib and /usr/lib are often one folder
  const files = new Map(paths.map((path) => [realPathOf(machine, path) ?? path, path]));
  return [...files]
    .filter(isNewer)
    .map(
      ([, path]) =>
        `${path} was changed since it started, and nobody has tried a start with that: ${restart} does`,
    );
}

/** Generators write theirs anew at each daemon-reload; what each service has comes with the upgrades of systemd. */
const NOT_ITS_OWN = /^\/run\/systemd\/generator|^(?:\/usr)?\/lib\/systemd\/system\/service\.d\//;

/** A further name counts as a change of a file: a backup by hard links gives one, an upgrade of OSTree that waits for a boot, too. */
function changeOf({ kind, hardLinks, changedMs, modifiedMs }: FileStatus): number {
  return kind === "file" && hardLinks > 1 ? modifiedMs : changedMs;
}
