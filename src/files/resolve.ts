/** Symbolic links resolved inside a tree, one way for folders, tars and images. */
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
  /** the entry at a path whose folders are no links; `rest`: what is asked for below it, last name first */
  readonly at: (path: string, rest: readonly string[]) => N | Failure;
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
  const done: string[] = [];
  let here = lookup.at("/", pending);
  let links = 0;
  while (pending.length > 0) {
    const name = pending.pop() ?? "";
    if ("code" in here) return here;
    if (here.kind !== "folder") return { code: "ENOTDIR" };
    if (name === "" || name === ".") continue;
    if (name === "..") {
      done.pop();
      here = lookup.at(`/${done.join("/")}`, pending);
      continue;
    }
    const inside = `/${[...done, name].join("/")}`;
    const entry = lookup.at(inside, pending);
    if ("code" in entry) return entry;
    if (entry.kind !== "link" || (pending.length === 0 && last === "keep")) {
      done.push(name);
      here = entry;
      continue;
    }
    const target = lookup.targetOf(inside, entry);
    if (target === null || ++links > MAX_LINKS) return { code: target === null ? "EIO" : "ELOOP" };
    if (target.startsWith("/")) {
      done.length = 0;
      here = lookup.at("/", pending);
    }
    pending.push(...target.split("/").reverse());
  }
  return "code" in here ? here : { path: `/${done.join("/")}`, node: here };
}
