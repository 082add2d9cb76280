/** What find(1) and ls(1) print of folders of the tree that are not the system's: scripts that a loop runs, mostly. */
import { globPaths, matchesGlob } from "../files/glob.ts";
import { joined } from "../files/path.ts";
import type { FileTree } from "../files/tree.ts";
import { bare, placeOf } from "./shell-edits.ts";
import { nameOf } from "./shell-programs.ts";

/** Folders of the system: of these only what is sshd's counts. */
const OF_THE_SYSTEM =
  /^\/(?:(?:bin|boot|dev|etc|home|lib|lib64|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)(?:\/(?:lib|bin|sbin|share|local))?)?$/;
/** Ours. */
const MAX_FILES = 30;
const MAX_DEPTH = 4;

/** `at`: the working folder; null where nobody knows it. */
export function filesListed(
  tree: FileTree,
  [program = "", ...args]: readonly string[],
  at: string | null,
): readonly string[] {
  const name = nameOf(program);
  if (name === "ls")
    return args
      .filter((word) => !word.startsWith("-"))
      .flatMap((word) => namesAt(tree, placeOf(bare(word), at)));
  if (name !== "find") return [];
  const end = args.findIndex((word) => /^[-(!]/.test(word));
  const folders = end === -1 ? args : args.slice(0, end);
  const found = folders.flatMap((folder) => filesBelow(tree, placeOf(bare(folder), at), MAX_DEPTH));
  const test = args.findIndex((word) => /^-i?name$/.test(word));
  const pattern = test === -1 ? "*" : (args[test + 1] ?? "*");
  return found.filter((path) => matchesGlob(nameOf(path), pattern)).slice(0, MAX_FILES);
}

/** Names alone of a folder; of a pattern, paths. */
function namesAt(tree: FileTree, path: string): readonly string[] {
  if (OF_THE_SYSTEM.test(path) || !path.startsWith("/")) return [];
  const found = /[*?[]/.test(path) ? (globPaths(tree, path) ?? []) : (tree.list(path) ?? []);
  return found.slice(0, MAX_FILES);
}

function filesBelow(tree: FileTree, folder: string, depth: number): readonly string[] {
  if (depth === 0 || OF_THE_SYSTEM.test(folder) || !folder.startsWith("/")) return [];
  const found: string[] = [];
  for (const name of (tree.list(folder) ?? []).slice(0, MAX_FILES)) {
    const path = joined(folder, name);
    const kind = tree.stat(path)?.kind;
    if (kind === "folder") found.push(...filesBelow(tree, path, depth - 1));
    else if (kind === "file") found.push(path);
    if (found.length >= MAX_FILES) break;
  }
  return found;
}
