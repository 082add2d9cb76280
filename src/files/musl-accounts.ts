/**
 * passwd and group files as musl reads them (src/passwd/getpwent_a.c, getgrent_a.c, getgrouplist.c): nothing is trimmed,
 * nothing is a comment, numbers end at the first letter, and a line that no line feed ends loses its last byte.
 */
import type { Account, FileTree } from "./tree.ts";

const MACHINES = [
  "aarch64",
  "arm",
  "armhf",
  "i386",
  "loongarch64",
  "mips64",
  "ppc64le",
  "riscv64",
  "s390x",
  "x86_64",
];
export const LOADERS: readonly string[] = ["/lib", "/usr/lib"].flatMap((folder) =>
  MACHINES.map((machine) => `${folder}/ld-musl-${machine}.so.1`),
);
/** A system of glibc's may have musl beside it. */
export const GLIBC_ALONE = "/etc/ld.so.conf";

export function isMusl(tree: FileTree): boolean {
  return (
    tree.stat(GLIBC_ALONE, { follow: false }) === null &&
    LOADERS.some((path) => tree.stat(path, { follow: false }) !== null)
  );
}

export function muslAccounts(text: string): readonly Omit<Account, "groups">[] {
  return linesOf(text).flatMap((line) => {
    const match = /^([\s\S][^:]*):([^:]*):(\d*):(\d*):([^:]*):([^:]*):([\s\S]*)$/.exec(line);
    if (match === null) return [];
    const [, name = "", , uid = "", gid = "", , home = "", shell = ""] = match;
    // sshd takes /bin/sh for an empty shell (auth.c, session.c)
    return [{ name, uid: numberOf(uid), gid: numberOf(gid), home, shell: shell || "/bin/sh" }];
  });
}

export function muslGroups(
  text: string,
): readonly { readonly name: string; readonly gid: number; readonly members: ReadonlySet<string> }[] {
  return linesOf(text).flatMap((line) => {
    const match = /^([\s\S][^:]*):([^:]*):(\d*):([\s\S]*)$/.exec(line);
    if (match === null) return [];
    const [, name = "", , gid = "", members = ""] = match;
    return [{ name, gid: numberOf(gid), members: new Set(membersOf(members)) }];
  });
}

/** A C string ends at a NUL. */
function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  if (last !== "") lines.push(last.slice(0, -1));
  return lines.map((line) => line.replace(/\0[\s\S]*$/, ""));
}

/** It overflows as an unsigned int does; no digits are 0. */
function numberOf(digits: string): number {
  return digits === "" ? 0 : Number(BigInt.asUintN(32, BigInt(digits)));
}

/** The byte behind a comma is never looked at: a second comma there begins the next name. */
function membersOf(text: string): readonly string[] {
  const members: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== ",") continue;
    members.push(text.slice(start, at));
    start = ++at;
  }
  return text === "" ? [] : [...members, text.slice(start)];
}
