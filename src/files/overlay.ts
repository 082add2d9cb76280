import type { FileTree } from "./tree.ts";

/** A tree in which some files have other bytes; nothing is written. `changed` is by real path. */
export function overlayTree(base: FileTree, changed: ReadonlyMap<string, Uint8Array>): FileTree {
  return {
    ...base,
    read: (path) => {
      const content = base.read(path);
      const bytes = content.kind === "file" ? changed.get(content.realPath) : undefined;
      return content.kind === "file" && bytes !== undefined ? { ...content, bytes } : content;
    },
  };
}
