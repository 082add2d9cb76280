/** What systemd-tmpfiles changes of sshd's configuration when a system boots (tmpfiles.d(5)). Nothing is run. */
import { MAX_TEXT_BYTES, textOf } from "../files/file-text.ts";
import { globPaths } from "../files/glob.ts";
import { joined } from "../files/path.ts";
import type { FileTree } from "../files/tree.ts";
import { bare } from "./shell-edits.ts";
import type { Edit } from "./shell-reading.ts";
import { splitWords } from "./shell-words.ts";
import { inDropIns } from "./systemd-unit.ts";

const FOLDERS = ["/etc", "/run", "/usr/local/lib", "/usr/lib"].map((path) => ({ path, names: null }));
/** Ours: of lines about sshd's folder, of which none is twice. */
const MAX_LINES = 500;
const TYPE = /^([a-zA-Z])([-+!=~^?$]*)$/;

interface Line {
  readonly type: string;
  readonly modifiers: string;
  /** without a slash at its end */
  readonly path: string;
  readonly argument: string;
}

/** Of files in this folder, which a slash ends, and of the folder. */
export function tmpfilesEdits(tree: FileTree, folder: string): readonly Edit[] {
  return inDropIns(tree, FOLDERS, ["tmpfiles"]).flatMap((path): readonly Edit[] => {
    const lines = linesOf(tree, path, folder);
    return lines === null
      ? [{ path, mayBy: "more than is read" }]
      : lines.flatMap((line) => changedBy(tree, line).map((file) => ({ file, path })));
  });
}

/** Null: there are too many. */
function linesOf(tree: FileTree, path: string, folder: string): readonly Line[] | null {
  if ((tree.stat(path)?.size ?? 0) > MAX_TEXT_BYTES) return null;
  const texts = new Set((textOf(tree, path) ?? "").split("\n"));
  const lines = [...texts]
    .flatMap((text) => lineOf(text) ?? [])
    .filter((line) => `${line.path}/`.startsWith(folder));
  return lines.length > MAX_LINES ? null : lines;
}

function lineOf(text: string): Line | null {
  const [first = "", path = "", , , , , ...argument] = splitWords(text);
  const [, type, modifiers = ""] = TYPE.exec(first) ?? [];
  return type === undefined ? null : { type, modifiers, path: bare(path), argument: argument.join(" ") };
}

/** What a line leaves as it is counts for nothing: most make only what is not there. */
function changedBy(tree: FileTree, { type, modifiers, path, argument }: Line): readonly string[] {
  const isThere = tree.stat(path, { follow: false }) !== null;
  const isForced = modifiers.includes("+");
  switch (type) {
    case "f":
      return (isThere ? isForced : argument !== "") ? [path] : [];
    case "F":
      return [path];
    case "w":
      return found(tree, path);
    case "r":
    case "R":
      return found(tree, path).flatMap((each) => within(tree, each));
    // its content goes
    case "D":
      return (tree.list(path) ?? []).map((name) => joined(path, name));
    case "L":
      return isThere && !isForced ? [] : within(tree, path);
    case "C":
      return copied(tree, path, argument === "" ? `/usr/share/factory${path}` : argument);
    default:
      return [];
  }
}

function found(tree: FileTree, pattern: string): readonly string[] {
  return globPaths(tree, pattern) ?? [];
}

/** What is changed with a path that is, or becomes, a folder. */
function within(tree: FileTree, path: string): readonly string[] {
  const names = tree.list(path);
  return names === null ? [path] : [path, ...names.map((name) => joined(path, name))];
}

/** Into a folder that is there comes what is not in it. */
function copied(tree: FileTree, path: string, source: string): readonly string[] {
  if (tree.stat(source) === null) return [];
  const names = tree.list(source);
  if (names === null) return tree.stat(path, { follow: false }) === null ? [path] : [];
  return names
    .map((name) => joined(path, name))
    .filter((each) => tree.stat(each, { follow: false }) === null);
}
