/** A commit of a Git repository, seen as part of the file system: its files at their places, all else from disk. */
import { spawnSync } from "node:child_process";
import type { FileEntry, FileTree } from "./tree.ts";

interface Blob {
  readonly id: string;
  readonly isLink: boolean;
}

/**
 * The tree in which the repository around `folder` is at `revision`; latin1 paths. Links inside the commit are not
 * followed: they read as missing. What is wrong, in git's words, where there is no such repository or revision.
 */
export function gitTree(
  base: FileTree,
  folder: string,
  revision: string,
): FileTree | { readonly error: string } {
  const top = git(folder, ["rev-parse", "--show-toplevel"]);
  if ("error" in top) return top;
  // an option in place of a revision must not reach git
  const commit = git(folder, ["rev-parse", "--verify", "--end-of-options", `${revision}^{commit}`]);
  if ("error" in commit) return { error: `there is no such commit (git: ${commit.error})` };
  const root = top.output.replace(/\n$/, "");
  const listed = git(root, ["ls-tree", "-r", "-z", "--full-tree", commit.output.trim()]);
  if ("error" in listed) return listed;
  return treeOf(base, root, blobsOf(listed.output));
}

/** "100644 blob ID\tPATH", each ended by NUL. */
function blobsOf(listing: string): ReadonlyMap<string, Blob> {
  const blobs = new Map<string, Blob>();
  for (const entry of listing.split("\0")) {
    const match = /^(\d+) blob ([0-9a-f]+)\t(.*)$/s.exec(entry);
    if (match !== null) blobs.set(match[3] ?? "", { id: match[2] ?? "", isLink: match[1] === "120000" });
  }
  return blobs;
}

function treeOf(base: FileTree, root: string, blobs: ReadonlyMap<string, Blob>): FileTree {
  const inside = (path: string): string | null =>
    path === root ? "" : path.startsWith(`${root}/`) ? path.slice(root.length + 1) : null;
  const below = (name: string): string[] => {
    const prefix = name === "" ? "" : `${name}/`;
    const names = [...blobs.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length));
    return [...new Set(names.map((path) => path.split("/")[0] ?? ""))].sort();
  };
  return {
    read: (path) => {
      const name = inside(path);
      if (name === null) return base.read(path);
      const blob = blobs.get(name);
      if (blob === undefined || blob.isLink) {
        if (below(name).length > 0) return { kind: "folder" };
        return { kind: "unreadable", code: "ENOENT", reason: "No such file or directory in that commit" };
      }
      const content = git(root, ["cat-file", "blob", blob.id]);
      if ("error" in content) return { kind: "unreadable", code: "EIO", reason: content.error };
      return { kind: "file", bytes: Buffer.from(content.output, "latin1"), realPath: path };
    },
    list: (path) => {
      const name = inside(path);
      if (name === null) return base.list(path);
      const names = below(name);
      return names.length === 0 ? null : names;
    },
    stat: (path, options) => {
      const name = inside(path);
      if (name === null) return base.stat(path, options);
      const blob = blobs.get(name);
      if (blob !== undefined && !blob.isLink) return entryOf("file", path);
      return below(name).length > 0 ? entryOf("folder", path) : null;
    },
  };
}

function entryOf(kind: "file" | "folder", realPath: string): FileEntry {
  return { kind, size: 0, mode: 0o644, uid: 0, gid: 0, modifiedMs: 0, realPath, target: null };
}

function git(
  folder: string,
  args: readonly string[],
): { readonly output: string } | { readonly error: string } {
  const cwd = Buffer.from(folder, "latin1").toString("utf8");
  const { status, stdout, stderr, error } = spawnSync("git", ["-C", cwd, ...args], {
    encoding: "latin1",
    maxBuffer: 256 * 1024 * 1024,
  });
  if (error !== undefined) return { error: `git cannot be run: ${error.message}` };
  return status === 0 ? { output: stdout } : { error: stderr.replace(/^fatal: /, "").replace(/\n$/, "") };
}
