/** Accounts from passwd(5) and group(5) files, as glibc reads them (nss/nss_files/files-parse.c), or musl where a tree has it. */
import { textOf } from "./file-text.ts";
import { isMusl, muslAccounts, muslGroups } from "./musl-accounts.ts";
import type { Account, FileTree } from "./tree.ts";

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: ReadonlySet<string>;
}

/** Ours, for each file: more would fill all memory. */
export const MOST_LINES = 200_000;

/** The accounts of a tree; null where it has no passwd file, or too long ones. */
export function accountsOf(tree: FileTree): readonly Account[] | null {
  const passwd = textOf(tree, "/etc/passwd");
  if (passwd === null) return null;
  const group = textOf(tree, "/etc/group") ?? "";
  if (!isMusl(tree)) return readAccounts([passwd, group]);
  return [passwd, group].some(isTooLong) ? null : readMusl(passwd, group);
}

export function hasAccounts(tree: FileTree): boolean {
  return tree.stat("/etc/passwd")?.kind === "file";
}

/**
 * Accounts of texts in passwd or group format, told apart by their fields: a passwd line has a number in its fourth, and
 * may end there. Lines that fit neither are skipped, as the C library does. Null: one has more than MOST_LINES.
 */
export function readAccounts(texts: readonly string[]): readonly Account[] | null {
  if (texts.some(isTooLong)) return null;
  const files = texts.map(rowsOf).map((rows) => ({ rows, first: isPasswd(rows) ? 4 : 5 }));
  const groups = files.flatMap(({ rows, first }) =>
    rows.filter(({ length }) => length < first).flatMap(groupOf),
  );
  const accounts = files
    .flatMap(({ rows, first }) => rows.filter(({ length }) => length >= first))
    .flatMap((row) => accountOf(row) ?? []);
  return withGroups(accounts, groups);
}

/** As musl reads a passwd and a group file. */
export function readMusl(passwd: string, group: string): readonly Account[] {
  return withGroups(muslAccounts(passwd), muslGroups(group));
}

/** getpwnam(3) gives the first line of a name; of two names of a group's number only the first is seen (getgrgid(3)). */
function withGroups(
  accounts: readonly Omit<Account, "groups">[],
  groups: readonly Group[],
): readonly Account[] {
  const byGid = new Map<number, string>();
  const gidsOf = new Map<string, number[]>();
  for (const { gid, name, members } of groups) {
    if (!byGid.has(gid)) byGid.set(gid, name);
    for (const member of members) {
      const gids = gidsOf.get(member);
      if (gids === undefined) gidsOf.set(member, [gid]);
      else gids.push(gid);
    }
  }
  const known = new Map<string, Account>();
  for (const account of accounts) {
    if (known.has(account.name)) continue;
    const gids = [account.gid, ...(gidsOf.get(account.name) ?? [])];
    known.set(account.name, {
      ...account,
      groups: [...new Set(gids.flatMap((number) => byGid.get(number) ?? []))],
    });
  }
  return [...known.values()];
}

function isTooLong(text: string): boolean {
  let lines = 0;
  for (let at = text.indexOf("\n"); at !== -1 && lines <= MOST_LINES; at = text.indexOf("\n", at + 1))
    lines++;
  return lines > MOST_LINES;
}

/** Blanks before a name are skipped, and so are comments and the lines of NIS. */
function rowsOf(text: string): string[][] {
  return text
    .split("\n")
    .map((line) => line.replace(/^[ \t\v\f\r]+/, ""))
    .filter((line) => !/^[#+-]/.test(line))
    .map((line) => line.split(":"));
}

/** A line of four fields is an account without a home in a passwd file, and a group anywhere else. */
function isPasswd(rows: readonly (readonly string[])[]): boolean {
  return (
    rows.some(({ length }) => length >= 7) && !rows.some((row) => row.length === 4 && idOf(row[3]) === null)
  );
}

function groupOf(row: readonly string[]): Group[] {
  const [name = "", , gid, members = ""] = row;
  const id = idOf(gid);
  if (name === "" || id === null) return [];
  const names = members.split(",").map((member) => member.replace(/^[ \t\v\f\r]+/, ""));
  return [{ name, gid: id, members: new Set(names) }];
}

function accountOf(row: readonly string[]): Omit<Account, "groups"> | null {
  const [name = "", , uid, gid, , home = "", ...shell] = row;
  const [user, primary] = [idOf(uid), idOf(gid)];
  if (name === "" || user === null || primary === null) return null;
  return { name, uid: user, gid: primary, home, shell: shell.join(":") || "/bin/sh" };
}

/** Null: no number of a user or group. strtoul(3) takes a sign, with which only nothing is in range. */
function idOf(text: string | undefined): number | null {
  const digits = /^[ \t\v\f\r]*(?:\+?(\d+)|-(0+))$/
    .exec(text ?? "")
    ?.slice(1)
    .join("");
  return digits === undefined || Number(digits) > 0xffffffff ? null : Number(digits);
}

/** Folders of systemd's own records (nss-systemd(8), homectl(1)), and how the names of those end that users or groups gain by. */
const RECORDS: readonly (readonly [string, RegExp])[] = [
  ...["/etc", "/run", "/run/host", "/usr/local/lib", "/usr/lib"].map((folder): readonly [string, RegExp] => [
    `${folder}/userdb`,
    /\.(?:user|group|membership)$/,
  ]),
  ["/var/lib/systemd/home", /\.identity$/],
];

/** nsswitch.conf(5) sources of passwd and group beyond the files themselves: then the accounts are not all. */
export function furtherAccountSources(tree: FileTree): readonly string[] {
  // musl knows no nsswitch.conf
  if (isMusl(tree)) return [];
  const text = textOf(tree, "/etc/nsswitch.conf") ?? "";
  const sources = [
    ...text.matchAll(/^[ \t]*(?:passwd|group|initgroups|passwd_compat|group_compat)[ \t]*:([^#\n]*)/gm),
  ].flatMap(([, list = ""]) => list.replaceAll(/\[[^\]]*\]/g, " ").split(/[ \t\r]+/));
  return [...new Set(sources)].filter((source) => source !== "" && addsAccounts(tree, source));
}

function addsAccounts(tree: FileTree, source: string): boolean {
  switch (source) {
    case "files":
      return false;
    case "compat":
      // lines of NIS: `+`, `+name`, `+@netgroup`
      return ["/etc/passwd", "/etc/group"].some((path) => /^[ \t]*[+-]/m.test(textOf(tree, path) ?? ""));
    case "systemd":
      return RECORDS.some(
        ([folder, record]) => tree.list(folder)?.some((name) => record.test(name)) ?? false,
      );
    default:
      return true;
  }
}
