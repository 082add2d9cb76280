/** The sshd that a probe runs, and which release it is. */
import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import { parseRelease, type Release } from "../../grammar/release.ts";
import { folderTree } from "../files/folder.ts";
import { installedRelease } from "../files/release.ts";

export interface SshdProgram {
  /** absolute, inside `root` */
  readonly path: string;
  /** the root file system that it belongs to; "/" is this machine's */
  readonly root: string;
  readonly release: Release;
  readonly source: string;
}

const USUAL = ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"];

/** The program and its release, or why there is none, for people. */
export function findSshd(
  root: string,
  path: string | undefined,
  given: Release | null,
): SshdProgram | string {
  const found = (path === undefined ? USUAL : [path]).find((candidate) =>
    isExecutable(join(root, candidate)),
  );
  if (found === undefined)
    return path === undefined
      ? `there is no sshd in ${root === "/" ? "the usual places" : root}; --sshd names one (Debian: apt install openssh-server)`
      : `${join(root, path)} is no program that can be run`;
  if (given !== null) return { path: found, root, release: given, source: "given with --openssh" };
  const installed = USUAL.slice(0, 2).includes(found) ? installedRelease(folderTree(root)) : null;
  if (installed !== null) return { path: found, root, ...installed };
  const release = root === "/" ? askedRelease(found) : null;
  if (release !== null) return { path: found, root, release, source: `${found} -V` };
  return `the release of ${join(root, found)} is not known; --openssh names it`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    // a folder can be "executed", too
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What the first of the usual programs says of itself. */
export function runningRelease(): Release | null {
  for (const path of USUAL) {
    const release = askedRelease(path);
    if (release !== null) return release;
  }
  return null;
}

/** `sshd -V`; releases that do not know the option print their version with their usage. */
function askedRelease(path: string): Release | null {
  // loaded only here: it costs every start otherwise
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { stdout, stderr } = spawnSync(path, ["-V"], { encoding: "latin1", timeout: 5_000 });
  return releaseOfBanner(`${stdout ?? ""}${stderr ?? ""}`);
}

/** `OpenSSH_10.0p2 Debian-7+deb13u4`, `OpenSSH_9.2` of sshd 9.2: in what sshd -V prints and in the banner of the protocol. */
export function releaseOfBanner(text: string): Release | null {
  const [, version, vendor, revision] =
    /OpenSSH_(\d+\.\d+(?:p\d+)?)(?: (Debian|Ubuntu)-([\w.+~]+))?/.exec(text) ?? [];
  if (version === undefined) return null;
  return parseRelease(vendor === undefined ? version : `1:${version}-${revision}`);
}
