/** Accounts from passwd(5) and group(5) files. */
import { textOf } from "./file-text.ts";
import type { Account, FileTree } from "./tree.ts";

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: ReadonlySet<string>;
}

/** The accounts of a tree; null where it has no passwd file. */
export function accountsOf(tree: FileTree): readonly Account[] | null {
  const passwd = textOf(tree, "/etc/passwd");
  return passwd === null ? null : readAccounts([passwd, textOf(tree, "/etc/group") ?? ""]);
}

/**
 * Accounts of texts in passwd or group format, told apart by their number of fields (7 and 4). Lines that fit neither
 * are skipped, as the C library does.
 */
export function readAccounts(texts: readonly string[]): readonly Account[] {
  const rows = texts.flatMap((text) => text.split("\n")).map((line) => line.split(":"));
  const groups = rows.flatMap(groupOf);
  const byGid = new Map<number, string>();
  for (const { gid, name } of groups) if (!byGid.has(gid)) byGid.set(gid, name);
  const accounts = new Map<string, Account>();
  for (const row of rows) {
    const account = accountOf(row, groups, byGid);
    // getpwnam(3) gives the first line of a name
    if (account !== null && !accounts.has(account.name)) accounts.set(account.name, account);
  }
  return [...accounts.values()];
}

function groupOf(row: readonly string[]): Group[] {
  const [name = "", , gid = "", members = ""] = row;
  if (row.length !== 4 || name === "" || !isNumber(gid)) return [];
  return [{ name, gid: Number(gid), members: new Set(members.split(",")) }];
}

function accountOf(
  row: readonly string[],
  groups: readonly Group[],
  byGid: ReadonlyMap<number, string>,
): Account | null {
  const [name = "", , uid = "", gid = "", , home = "", shell = ""] = row;
  if (row.length !== 7 || name === "" || !isNumber(uid) || !isNumber(gid)) return null;
  const primary = byGid.get(Number(gid));
  const others = groups.filter(({ members }) => members.has(name)).map((group) => group.name);
  const names = [...new Set([...(primary === undefined ? [] : [primary]), ...others])];
  return {
    name,
    uid: Number(uid),
    gid: Number(gid),
    home,
    shell: shell === "" ? "/bin/sh" : shell,
    groups: names,
  };
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}

/** nsswitch.conf(5) sources of passwd and group beyond the files themselves: then the accounts are not all. */
export function furtherAccountSources(tree: FileTree): readonly string[] {
  const text = textOf(tree, "/etc/nsswitch.conf") ?? "";
  const sources = [...text.matchAll(/^(?:passwd|group):([^#\n]*)/gm)].flatMap(([, list = ""]) =>
    list.replaceAll(/\[[^\]]*\]/g, " ").split(/[ \t]+/),
  );
  return [...new Set(sources)].filter(
    (source) => source !== "" && !["files", "compat", "systemd"].includes(source),
  );
}
