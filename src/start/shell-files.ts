/** The files that a shell script names: scripts, programs in PATH. */
import { MAX_TEXT_BYTES, textOf } from "../files/file-text.ts";
import { globPaths } from "../files/glob.ts";
import { DEFAULT_FOLDERS } from "../files/path.ts";
import type { FileTree } from "../files/tree.ts";
import { isSshd, SHELLS } from "./shell-programs.ts";

/** A program, by what stands in its file, which is not read where it is too long for a script. */
export type FileKind = "shell script" | "other script" | "program" | "too long";

/** Null: it is not there. */
export function readScript(
  tree: FileTree,
  path: string,
): { readonly kind: FileKind; readonly text: string } | null {
  const entry = tree.stat(path);
  if (entry === null) return null;
  if (entry.size > MAX_TEXT_BYTES) return { kind: "too long", text: "" };
  const text = textOf(tree, path) ?? "";
  const first = firstLine(text);
  if (first === "" && (text === "" || text.slice(0, 1024).includes("\0"))) return { kind: "program", text };
  const isShell = first === "" || /\b(?:ba|da|a|k|z)?sh\b|openrc-run|runscript|invoke-run/.test(first);
  return { kind: isShell ? "shell script" : "other script", text };
}

/** The interpreter: "#!/bin/sh". */
export function firstLine(text: string): string {
  return /^#![^\n]*/.exec(text)?.[0] ?? "";
}

/** Where relative names begin, once a script has gone somewhere; until then nobody knows. */
export const WORKING_FOLDER = "PWD";

/** Where a script may be by now; null: anywhere. */
export function workingFolders(
  variables: ReadonlyMap<string, readonly string[]>,
): readonly (string | null)[] {
  const folders = variables.get(WORKING_FOLDER) ?? [""];
  return folders.map((folder) => (/^\/[^\0]*$/.test(folder) ? folder : null));
}

/** A relative path begins where the process does, or has gone; beside the script is tried, too. */
export function absolute(
  {
    tree,
    path,
    folder,
    variables,
  }: {
    readonly tree: FileTree;
    readonly path: string | null;
    readonly folder: string;
    readonly variables: ReadonlyMap<string, readonly string[]>;
  },
  named: string,
): string {
  if (named.startsWith("/")) return firstOf(tree, named);
  // most compute the folder of the script itself: `$(dirname "$0")/more.sh`
  const bare = named.replace(/^(?:\.|\0)\//, "");
  const gone = workingFolders(variables).flatMap((each) => (each === null ? [] : [`${each}/${bare}`]));
  const here = `${folder}/${bare}`;
  const beside = path === null ? here : `${path.slice(0, path.lastIndexOf("/"))}/${bare}`;
  return [...gone, beside, here].find((place) => tree.stat(place) !== null) ?? gone[0] ?? beside;
}

/** Of what a pattern leads to. */
function firstOf(tree: FileTree, named: string): string {
  const found = /[*?[]/.test(named) && tree.stat(named) === null ? globPaths(tree, named) : null;
  return found?.[0] ?? named;
}

/** Null: it is in no folder of PATH, or what it does is known by its name. */
export function inPath(tree: FileTree, path: string | undefined, program: string): string | null {
  if (!/^[\w.-]+$/.test(program) || isSshd(program) || SHELLS.test(program)) return null;
  const folders = path?.split(":") ?? DEFAULT_FOLDERS;
  return (
    folders.map((folder) => `${folder}/${program}`).find((file) => tree.stat(file)?.kind === "file") ?? null
  );
}
