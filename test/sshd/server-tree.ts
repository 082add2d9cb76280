/** A tree of files as tests write it down: for our reader in memory, for a real sshd on disk. */
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { FileEntry, FileTree } from "../../src/files/tree.ts";
import { encode } from "../../src/source/source.ts";

/** Contents (latin1) by absolute path. A content that is `{ link }` is a symbolic link. */
export type ServerTree = Readonly<Record<string, string | { readonly link: string }>>;

/** In the place of a path: the texts of sshd's own `-o`, one a line. No file of this name exists. */
export const COMMAND_LINE = "command-line";

export function optionsOf(tree: ServerTree): readonly string[] {
  const texts = tree[COMMAND_LINE];
  return typeof texts === "string" ? texts.split("\n").filter((text) => text !== "") : [];
}

function filesOf(tree: ServerTree): (readonly [string, ServerTree[string]])[] {
  return Object.entries(tree).filter(([path]) => path !== COMMAND_LINE);
}

/** Writes the tree below `root`, which holds nothing else afterwards. */
export function writeTree(root: string, tree: ServerTree): void {
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
  for (const [path, content] of filesOf(tree)) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    if (typeof content === "string") writeFileSync(target, encode(content));
    else symlinkSync(content.link, target);
  }
}

/** The tree in memory. Links lead to a file directly; that is all these tests need. */
export function memoryTree(tree: ServerTree): FileTree {
  const folders = new Map<string, Set<string>>([["/", new Set()]]);
  for (const [path] of filesOf(tree)) {
    for (let at = path; at !== "/"; at = dirname(at)) {
      const names = folders.get(dirname(at)) ?? new Set();
      folders.set(dirname(at), names.add(at.slice(at.lastIndexOf("/") + 1)));
    }
  }
  const follow = (path: string): string => {
    const content = tree[path];
    return typeof content === "object" ? resolve(dirname(path), content.link) : path;
  };
  // what is behind a folder that is not there is not there either, whatever `..` leads to
  const normal = (path: string): string => {
    const whole = join(path);
    const isReached = path.split("/").every((part, index, parts) => {
      const above = join("/", ...parts.slice(0, index));
      return part !== ".." || folders.has(follow(above));
    });
    if (!isReached) return path;
    return whole.length > 1 && whole.endsWith("/") ? whole.slice(0, -1) : whole;
  };
  return {
    read: (path) => {
      const realPath = follow(normal(path));
      const content = tree[realPath];
      if (typeof content === "string") return { kind: "file", bytes: encode(content), realPath };
      if (folders.has(realPath)) return { kind: "folder" };
      return { kind: "unreadable", code: "ENOENT", reason: "No such file or directory" };
    },
    list: (path) => {
      const names = folders.get(follow(normal(path)));
      return names === undefined ? null : [...names].sort((a, b) => (a < b ? -1 : 1));
    },
    stat: (path, options) => {
      const named = normal(path);
      const realPath = options?.follow === false ? named : follow(named);
      const content = tree[realPath];
      if (content === undefined && !folders.has(realPath)) return null;
      return entry(realPath, content);
    },
  };
}

function entry(realPath: string, content: ServerTree[string] | undefined): FileEntry {
  const kind = content === undefined ? "folder" : typeof content === "string" ? "file" : "link";
  const target = typeof content === "object" ? content.link : null;
  const size = typeof content === "string" ? content.length : 0;
  return { kind, size, mode: 0o644, uid: 0, gid: 0, modifiedMs: 0, realPath, target };
}
