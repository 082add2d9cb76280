/** Where a system's sshds look for their sshd_config: what is compiled in differs between vendors (SSHDIR). */
import type { FileTree } from "./tree.ts";

const USUAL = "/etc/ssh/sshd_config";
/** openSUSE and other systems with a read-only /usr: read when the usual one is not there. */
const BELOW_USR = "/usr/etc/ssh/sshd_config";
/** FreeBSD's port, and what is built by hand with the prefix that OpenSSH's own configure takes: a second sshd. */
const LOCAL_SSHD = "/usr/local/sbin/sshd";
const LOCAL_FILES = ["/usr/local/etc/ssh/sshd_config", "/usr/local/etc/sshd_config"];

const PROGRAMS: readonly string[] = [
  "/usr/sbin/sshd",
  "/usr/bin/sshd",
  "/sbin/sshd",
  "/bin/sshd",
  LOCAL_SSHD,
  // Alpine's other builds
  "/usr/sbin/sshd.pam",
  "/usr/sbin/sshd.krb5",
];

/** What is built with a prefix of its own, which the system does not know, lies in a folder in one of these. */
const APART = ["/opt", "/usr/local"];
/** Of no program's own (hier(7)). */
const SHARED = new Set("bin etc games include lib lib64 libexec man sbin share src".split(" "));

/** A main file, and the sshd of a place of its own that reads it; null: the system's. */
export interface Served {
  readonly path: string;
  readonly sshd: string | null;
}

/** What the sshds of a tree read, those that are started from places of their own among them; the usual file where there is none. */
export function servedFiles(tree: FileTree, started: readonly string[] = []): readonly Served[] {
  const usual = [USUAL, BELOW_USR].find((path) => tree.stat(path) !== null);
  const isNew = (path: string): boolean => path !== usual && tree.stat(path) !== null;
  const apart = readBy(tree, sshdsApart(tree));
  const own = [...readBy(tree, ownSshds(tree, started)), ...apart.filter(({ path }) => isNew(path))].filter(
    ({ path }, at, all) => all.findIndex((each) => each.path === path) === at,
  );
  const hasLocal = usual === undefined || tree.stat(LOCAL_SSHD) !== null;
  const local = hasLocal ? LOCAL_FILES.filter((path) => tree.stat(path) !== null) : [];
  const isOwn = (path: string): boolean => own.some((each) => each.path === path);
  const found: readonly Served[] = [
    ...(usual === undefined || isOwn(usual) ? [] : [{ path: usual, sshd: null }]),
    ...own,
    ...local.filter((path) => !isOwn(path)).map((path) => ({ path, sshd: LOCAL_SSHD })),
  ];
  if (found.length > 0) return found;
  const [only] = sshdPrograms(tree).length === 0 ? apart : [];
  return [only ?? { path: USUAL, sshd: null }];
}

function readBy(tree: FileTree, sshds: readonly string[]): readonly Served[] {
  return sshds.flatMap((sshd) => {
    const path = compiledIn(tree, sshd);
    return path === null ? [] : [{ path, sshd }];
  });
}

/** Those in places of their own that are found there, whether something starts them or not. */
export function sshdsApart(tree: FileTree): readonly string[] {
  const prefixes = APART.flatMap((folder) =>
    (tree.list(folder) ?? []).filter((name) => !SHARED.has(name)).map((name) => `${folder}/${name}`),
  );
  const programs = ["/opt", ...prefixes].flatMap((prefix) => [`${prefix}/sbin/sshd`, `${prefix}/bin/sshd`]);
  const found = programs.filter((path) => tree.stat(path)?.kind === "file");
  return found.length === 0 ? [] : ownSshds(tree, found);
}

/** Those of the programs that are not the system's own by another name. */
export function ownSshds(tree: FileTree, programs: readonly string[]): readonly string[] {
  const system = PROGRAMS.filter((path) => path !== LOCAL_SSHD);
  const real = new Set(system.map((path) => tree.stat(path)?.realPath));
  return programs.filter((path) => !system.includes(path) && !real.has(tree.stat(path)?.realPath));
}

/** The path that is compiled into a program (pathnames.h), else where its prefix has one; null: nobody knows. */
function compiledIn(tree: FileTree, program: string): string | null {
  const content = tree.read(program);
  const text = content.kind === "file" ? Buffer.from(content.bytes).toString("latin1") : "";
  const written = /\0(\/[\w./+-]+\/sshd_config)\0/.exec(text)?.[1];
  if (written !== undefined) return written;
  const prefix = program.replace(/\/s?bin\/[^/]*$/, "");
  const places = [`${prefix}/etc/ssh/sshd_config`, `${prefix}/etc/sshd_config`];
  return places.find((path) => tree.stat(path) !== null) ?? null;
}

/** Else its silence about sshd means nothing: an empty folder, a disk that is not mounted, some other tar. */
export function isRootFileSystem(tree: FileTree): boolean {
  return ["/etc", "/usr", "/bin"].some((folder) => tree.stat(folder) !== null);
}

/** The sshd programs of a tree, in the order in which they are looked for. */
export function sshdPrograms(tree: FileTree): readonly string[] {
  return PROGRAMS.filter((path) => tree.stat(path)?.kind === "file");
}
