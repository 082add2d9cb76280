/** By which release a target is judged, and how that is known. */
import {
  atLeast,
  formatRelease,
  NEWEST,
  OLDEST,
  parseRelease,
  type Release,
  unknownRelease,
} from "../../grammar/release.ts";
import { type InstalledRelease, installedRelease, releaseOfBinary } from "../files/release.ts";
import type { FileTree } from "../files/tree.ts";
import { sshdPrograms } from "../files/vendor-place.ts";
import { runningRelease } from "./sshd-program.ts";
import type { TargetOptions } from "./target.ts";

export interface ChosenRelease {
  readonly release: Release;
  readonly source: string;
  /** nobody said which release it is */
  readonly assumed?: true;
}

/** Whose files are read: this host's own sshd's, others on this host, or a system's that is only looked at. */
export type Whose = "live" | "host" | "root" | "image";

/**
 * Given, else by the package database, else by `sshd -V` (this host's own sshd only) or by what is written in the
 * program (which is never run), else the newest known.
 */
export async function chooseRelease(
  { openssh }: TargetOptions,
  tree: FileTree,
  whose: Whose,
  sshds: () => readonly string[] = () => [],
): Promise<ChosenRelease> {
  const given = openssh === undefined ? null : parseRelease(openssh);
  if (given !== null) return known({ release: given, source: "given with --openssh" });
  const isSystem = whose === "root" || whose === "image";
  const installed =
    installedRelease(tree) ??
    (await fromRpm(tree)) ??
    (isSystem ? releaseOfBinary(tree, [...sshdPrograms(tree), ...sshds()]) : null);
  if (installed !== null) {
    const where = isSystem ? `found in the ${whose}` : "found on this host";
    return known({ release: installed.release, source: `${where}, ${installed.source}` });
  }
  const running = whose === "live" ? runningRelease() : null;
  if (running !== null) return known({ release: running, source: "found on this host, sshd -V" });
  const source = "the newest known: none was found, --openssh names another";
  return { release: NEWEST, source, assumed: true };
}

/** Of a second sshd in a system, of which no package database speaks: by what is written in the program, else as the first one. */
export function secondRelease(
  { openssh }: TargetOptions,
  tree: FileTree,
  { whose, first, sshd }: { readonly whose: Whose; readonly first: ChosenRelease; readonly sshd: string },
): ChosenRelease {
  const found = openssh === undefined ? releaseOfBinary(tree, [sshd]) : null;
  return found === null
    ? first
    : known({ release: found.release, source: `found in the ${whose}, ${found.source}` });
}

/** Fedora's place and SUSE's, then Red Hat's. */
const RPM_DATABASES = ["/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite"];

/** Its reader is large, and loaded only where there is something to read. */
async function fromRpm(tree: FileTree): Promise<InstalledRelease | null> {
  const path = RPM_DATABASES.find((candidate) => tree.stat(candidate)?.kind === "file");
  return path === undefined ? null : (await import("../files/rpm-release.ts")).rpmRelease(tree, path);
}

/** A release that we do not know is read as the nearest one that we do, which is said. */
function known({ release, source }: ChosenRelease): ChosenRelease {
  const unknown = unknownRelease(release);
  if (unknown === null) return { release, source };
  const nearest = atLeast(release, OLDEST) ? NEWEST : parseRelease(OLDEST);
  const named = `${source} ${formatRelease(release)}, ${unknown}`;
  return { release: { ...release, ...nearest, vendor: release.vendor }, source: named };
}
