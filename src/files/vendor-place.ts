/** Where a system's sshds look for their sshd_config: what is compiled in differs between vendors (SSHDIR). */
import type { FileTree } from "./tree.ts";

const USUAL = "/etc/ssh/sshd_config";
/** openSUSE and other systems with a read-only /usr: read when the usual one is not there. */
const BELOW_USR = "/usr/etc/ssh/sshd_config";
/** FreeBSD's port and what is built by hand: a second sshd with a file of its own. */
const LOCAL = { file: "/usr/local/etc/ssh/sshd_config", sshd: "/usr/local/sbin/sshd" };

const PROGRAMS: readonly string[] = [
  "/usr/sbin/sshd",
  "/usr/bin/sshd",
  "/sbin/sshd",
  "/bin/sshd",
  LOCAL.sshd,
  // Alpine's other builds
  "/usr/sbin/sshd.pam",
  "/usr/sbin/sshd.krb5",
];

/** The main files of all sshds in a tree; the usual one where there is none. */
export function mainFiles(tree: FileTree): readonly string[] {
  const own = [USUAL, BELOW_USR].find((path) => tree.stat(path) !== null);
  const hasLocal = tree.stat(LOCAL.file) !== null && (own === undefined || tree.stat(LOCAL.sshd) !== null);
  const found = [...(own === undefined ? [] : [own]), ...(hasLocal ? [LOCAL.file] : [])];
  return found.length === 0 ? [USUAL] : found;
}

/** Else its silence about sshd means nothing: an empty folder, a disk that is not mounted, some other tar. */
export function isRootFileSystem(tree: FileTree): boolean {
  return ["/etc", "/usr", "/bin"].some((folder) => tree.stat(folder) !== null);
}

/** The second sshd, of which no package database and no settings of the first one's speak. */
export const LOCAL_SSHD: string = LOCAL.sshd;

/** The sshd programs of a tree, in the order in which they are looked for. */
export function sshdPrograms(tree: FileTree): readonly string[] {
  return PROGRAMS.filter((path) => tree.stat(path)?.kind === "file");
}
