/** A file of a tree as text. */
import type { FileTree } from "./tree.ts";

/** latin1; null where there is no such file, or it cannot be read */
export function textOf(tree: FileTree, path: string): string | null {
  const content = tree.read(path);
  return content.kind === "file" ? Buffer.from(content.bytes).toString("latin1") : null;
}
