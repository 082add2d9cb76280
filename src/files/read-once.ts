import type { FileContent, FileEntry, FileTree } from "./tree.ts";

/** A tree in which nothing is looked at twice: several readings of one configuration see the same, and take as long as one. */
export function readOnce(tree: FileTree): FileTree {
  const files = new Map<string, FileContent>();
  const folders = new Map<string, readonly string[] | null>();
  const entries = {
    followed: new Map<string, FileEntry | null>(),
    kept: new Map<string, FileEntry | null>(),
  };
  return {
    read: (path) => known(files, path, () => tree.read(path)),
    list: (path) => known(folders, path, () => tree.list(path)),
    stat: (path, options) =>
      known(options?.follow === false ? entries.kept : entries.followed, path, () =>
        tree.stat(path, options),
      ),
  };
}

function known<T>(seen: Map<string, T>, path: string, look: () => T): T {
  const before = seen.get(path);
  if (before !== undefined) return before;
  const found = look();
  seen.set(path, found);
  return found;
}
