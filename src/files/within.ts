/** A tree of which one folder alone is looked at: what a repository's Includes and links name elsewhere is not opened. */
import { folderOf, isBelow } from "./path.ts";
import type { FileEntry, FileTree } from "./tree.ts";

/**
 * `folder`: its real path. Whatever is named elsewhere is an empty file, on any machine: nobody knows what it holds on
 * the server that the configuration is for.
 */
export function treeWithin(tree: FileTree, folder: string): FileTree {
  const isOutside = (path: string): boolean => !isBelow(placeOf(tree, path), folder);
  return {
    read: (path) =>
      isOutside(path) ? { kind: "file", bytes: new Uint8Array(), realPath: path } : tree.read(path),
    list: (path) => (isOutside(path) ? null : tree.list(path)),
    stat: (path, options) => {
      if (!isOutside(path)) return tree.stat(path, options);
      // what is not followed is what an Include names; a main file above the folder is none of its own
      return options?.follow === false ? (tree.stat(path, options) ?? nothingAt(path)) : null;
    },
  };
}

/** Without links; of what is not there, the place of its folder. */
function placeOf(tree: FileTree, path: string): string {
  for (let above = path; ; above = folderOf(above)) {
    const entry = tree.stat(above);
    if (entry !== null) return entry.realPath;
    if (above === "/") return above;
  }
}

function nothingAt(path: string): FileEntry {
  return { kind: "file", size: 0, mode: 0, uid: 0, gid: 0, modifiedMs: 0, realPath: path, target: null };
}
