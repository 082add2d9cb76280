/**
 * What another release of sshd would make of a configuration: asked where nobody knows which release it is, so that the
 * answer for the assumed one is not taken for more than it is.
 */
import { formatRelease, parseRelease, type Release } from "../../grammar/release.ts";
import { checkConfig } from "../config/check.ts";
import type { Config } from "../config/config.ts";
import { comparePolicies, type PolicyChange } from "./compare.ts";

/**
 * The last release before each change of how a file is read or what it means for forwarding (docs/releases.md): the
 * tokeniser (8.7), the Match line (9.9p1, 9.9p2), DisableForwarding (10.0, 10.4), Include (8.2), blocks of included files (8.4), PermitListen (7.8).
 */
const TURNING_POINTS: readonly string[] = ["7.7", "8.1", "8.3", "8.6", "9.8", "9.9p1", "9.9", "10.3"];

/** One line for people a group of releases, the newest first; empty where all agree. */
export function otherReadings(assumed: Config, loadAs: (release: Release) => Config): readonly string[] {
  if (!dependsOnRelease(assumed)) return [];
  const readings = new Map<string, string[]>();
  for (const name of [...TURNING_POINTS].reverse()) {
    const release = parseRelease(name);
    if (release === null) continue;
    const difference = differenceOf(assumed, loadAs(release));
    if (difference !== null)
      readings.set(difference, [...(readings.get(difference) ?? []), formatRelease(release)]);
  }
  return [...readings].map(([difference, names]) => `as OpenSSH ${names.join(", ")}: ${difference}`);
}

/** Plain global lines mean the same in all releases; asking costs a reading each. */
function dependsOnRelease({ matches, includes, directives, problems }: Config): boolean {
  const telling = ["disableforwarding", "permitlisten"];
  return (
    matches.length > 0 ||
    problems.some(({ weight }) => weight !== "warning") ||
    includes.some(({ targets }) => targets.some(({ matched }) => matched.length > 0)) ||
    directives.some(({ keyword, line }) => telling.includes(keyword) || /["'\\#=]/.test(line.rest.text))
  );
}

function differenceOf(assumed: Config, other: Config): string | null {
  const [mine, theirs] = [checkConfig(assumed), checkConfig(other)];
  const [error] = theirs.errors;
  if (!theirs.accepted) return mine.accepted ? `sshd refuses the file: ${error?.message ?? ""}` : null;
  if (!mine.accepted) return "sshd accepts the file";
  const { changes } = comparePolicies(assumed, other);
  if (changes.length === 0) return null;
  return changesText(changes);
}

/** "user alice may not use tcp-local, unix-local": what is equal but for the capability is said once. */
function changesText(changes: readonly PolicyChange[]): string {
  const told = new Map<string, Set<string>>();
  for (const { capability, change, condition } of changes) {
    const who = `${condition} ${change === "gained" ? "may" : "may not"} use`;
    told.set(who, (told.get(who) ?? new Set()).add(capability));
  }
  return [...told].map(([who, capabilities]) => `${who} ${[...capabilities].join(", ")}`).join("; ");
}
