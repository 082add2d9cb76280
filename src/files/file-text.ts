/** A file of a tree as text. */
import type { FileTree } from "./tree.ts";

/** Ours: of a script, or of settings that are read as a person would, since no real one is longer. */
export const MAX_TEXT_BYTES: number = 1024 * 1024;

/** latin1; null where there is no such file, or it cannot be read */
export function textOf(tree: FileTree, path: string): string | null {
  const content = tree.read(path);
  return content.kind === "file" ? Buffer.from(content.bytes).toString("latin1") : null;
}
