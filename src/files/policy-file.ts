/** Finding the policy file of a configuration, and whether it may be trusted: it decides what an audit keeps silent about. */

import { accountsOf } from "./accounts.ts";
import { folderOf } from "./path.ts";
import type { FileEntry, FileTree } from "./tree.ts";

const NAME = ".sshd-policy.yaml";
/** A policy is written by people; more than this is something else. */
const MOST_BYTES = 1024 * 1024;

/**
 * The nearest policy file beside `path` or above it, up to the top of its repository (the folder that holds `.git`);
 * without a repository beside it only. Null where there is none.
 */
export function findPolicyFile(tree: FileTree, path: string): string | null {
  const candidates: string[] = [];
  for (let folder = folderOf(path); ; folder = folderOf(folder)) {
    const candidate = folder === "/" ? `/${NAME}` : `${folder}/${NAME}`;
    if (tree.stat(candidate, { follow: false }) !== null) candidates.push(candidate);
    if (tree.stat(folder === "/" ? "/.git" : `${folder}/.git`) !== null) return candidates[0] ?? null;
    if (folder === "/") return candidates.find((found) => folderOf(found) === folderOf(path)) ?? null;
  }
}

/** The bytes of a policy file, or why it is not read. `caller`: user id of whoever runs the audit; null: not known. */
export function readTrusted(
  tree: FileTree,
  path: string,
  caller: number | null,
): { readonly bytes: Uint8Array } | { readonly refused: string } {
  const entry = tree.stat(path);
  if (entry?.kind === "folder") return { refused: "it is a folder" };
  if (entry !== null && entry.size > MOST_BYTES) return { refused: "it is larger than 1 MiB" };
  const content = tree.read(path);
  if (content.kind !== "file")
    return { refused: content.kind === "folder" ? "it is a folder" : content.reason };
  const link = tree.stat(path, { follow: false });
  const because =
    caller === null || entry === null || link === null
      ? null
      : (whyNotOwn(link, caller) ?? whyNotOwn(entry, caller) ?? whyWritable(tree, entry, caller));
  return because === null ? { bytes: content.bytes } : { refused: because };
}

function whyNotOwn({ uid }: FileEntry, caller: number): string | null {
  return uid === caller || uid === 0
    ? null
    : `it belongs to user ${uid}, who could decide what this audit says: it must be yours or root's`;
}

const GROUP_WRITE = 0o020;
const WORLD_WRITE = 0o002;

function whyWritable(tree: FileTree, { mode, gid }: FileEntry, caller: number): string | null {
  if ((mode & WORLD_WRITE) !== 0) return "everybody may write it: chmod o-w";
  if ((mode & GROUP_WRITE) === 0 || isGroupOf(tree, gid, caller)) return null;
  return `group ${gid} may write it: chmod g-w`;
}

/** A group of one's own (Debian's and Red Hat's user private groups) lets nobody else in. */
function isGroupOf(tree: FileTree, gid: number, caller: number): boolean {
  const group = groupNames(tree, gid);
  const others = (accountsOf(tree) ?? []).filter(({ uid }) => uid !== caller && uid !== 0);
  return (
    group.length > 0 &&
    others.every((account) => account.gid !== gid && !account.groups.some((name) => group.includes(name)))
  );
}

function groupNames(tree: FileTree, gid: number): string[] {
  const content = tree.read("/etc/group");
  if (content.kind !== "file") return [];
  const rows = Buffer.from(content.bytes).toString("latin1").split("\n");
  return rows.map((row) => row.split(":")).flatMap(([name = "", , id]) => (id === String(gid) ? [name] : []));
}
