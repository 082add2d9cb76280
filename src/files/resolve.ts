/** Symbolic links resolved inside a tree, one way for folders, tars and images. */
import { folderOf, joined } from "./path.ts";
import type { FileErrorCode } from "./tree.ts";

/** As the kernel's own limit (path_resolution(7)). */
export const MAX_LINKS = 40;

/** An error of a file operation, before it becomes a FileContent. */
export interface Failure {
  readonly code: FileErrorCode;
}

/** What one component of a path is, without following it. */
export interface Node {
  readonly kind: "file" | "folder" | "link" | "other";
}

export interface Lookup<N extends Node> {
  /**
   * The entry at a path whose folders are no links. `rest`: what is asked for below it, last name first; `folder`: the
   * one that it is in, where that is known
   */
  readonly at: (path: string, rest: readonly string[], folder?: N) => N | Failure;
  /** what a link holds; null when it cannot be read */
  readonly targetOf: (path: string, node: N) => string | null;
}

export interface Resolved<N extends Node> {
  /** path inside the tree, without links */
  readonly path: string;
  readonly node: N;
}

/**
 * path_resolution(7) inside the root: `..` at the top stays at the top, an absolute link starts at the root, and what has
 * a slash or a dot behind it must be a folder, which a link is followed for.
 */
export function resolveInside<N extends Node>(
  lookup: Lookup<N>,
  path: string,
  last: "follow" | "keep",
): Resolved<N> | Failure {
  const pending = path.split("/").reverse();
  let place = "/";
  let here = lookup.at(place, pending);
  let links = 0;
  while (pending.length > 0) {
    const name = pending.pop() ?? "";
    if ("code" in here) return here;
    if (here.kind !== "folder") return { code: "ENOTDIR" };
    if (name === "" || name === ".") continue;
    if (name === "..") {
      place = folderOf(place);
      here = lookup.at(place, pending);
      continue;
    }
    const inside = joined(place, name);
    const entry = lookup.at(inside, pending, here);
    if ("code" in entry) return entry;
    if (entry.kind !== "link" || (pending.length === 0 && last === "keep")) {
      place = inside;
      here = entry;
      continue;
    }
    const target = lookup.targetOf(inside, entry);
    if (target === null || ++links > MAX_LINKS) return { code: target === null ? "EIO" : "ELOOP" };
    if (target.startsWith("/")) {
      place = "/";
      here = lookup.at(place, pending);
    }
    pending.push(...target.split("/").reverse());
  }
  return "code" in here ? here : { path: place, node: here };
}
