/**
 * A folder seen as `/`. Symbolic links are resolved here, component by component and inside the folder, so that an
 * absolute link or `..` never leads out of it; the last open refuses links, so that a link put there in between is an
 * error and not a way out.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from "node:fs";
import type { FileContent, FileEntry, FileErrorCode, FileTree } from "./tree.ts";

/** As the kernel's own limit (path_resolution(7)). */
const MAX_LINKS = 40;
/** Ours: no configuration is longer; what is, is refused rather than read into memory. */
export const MAX_FILE_BYTES: number = 64 * 1024 * 1024;

const REASONS: Readonly<Record<FileErrorCode, string>> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  ELOOP: "Too many levels of symbolic links",
  ENOTDIR: "Not a directory",
  EIO: "Input/output error",
  ETOOBIG: "larger than 64 MiB, the limit of sshd-policy",
  ESPECIAL: "not a regular file",
};

/** An error of a file operation, before it becomes a FileContent. */
interface Failure {
  readonly code: FileErrorCode;
}

interface Resolved {
  /** path inside the tree, without links */
  readonly path: string;
  readonly stats: Stats;
}

export function folderTree(root: string): FileTree {
  const base = root === "/" ? "" : root.replace(/\/+$/, "");
  const outside = (path: string): Buffer => Buffer.concat([Buffer.from(base), Buffer.from(path, "latin1")]);
  return {
    read: (path) => readFile(outside, path),
    list: (path) => listFolder(outside, path),
    stat: (path, options) => statPath(outside, path, options?.follow ?? true),
  };
}

/** From a path inside the tree to the real one; the root's own name may hold any characters. */
type Outside = (path: string) => Buffer;

function readFile(outside: Outside, path: string): FileContent {
  const found = resolve(outside, path, true);
  if ("code" in found) return unreadable(found.code);
  if (found.stats.isDirectory()) return { kind: "folder" };
  if (!found.stats.isFile()) return unreadable("ESPECIAL");
  if (found.stats.size > MAX_FILE_BYTES) return unreadable("ETOOBIG");
  const bytes = readBytes(outside(found.path));
  return bytes instanceof Uint8Array ? { kind: "file", bytes, realPath: found.path } : unreadable(bytes.code);
}

function unreadable(code: FileErrorCode): FileContent {
  return { kind: "unreadable", code, reason: REASONS[code] };
}

/** Opens without following a link and without waiting for a FIFO's other end. */
function readBytes(path: Buffer): Uint8Array | Failure {
  let handle: number;
  try {
    handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return failure(error);
  }
  try {
    const { size } = fstatSync(handle);
    if (!fstatSync(handle).isFile()) return { code: "ESPECIAL" };
    return readAll(handle, size);
  } catch (error) {
    return failure(error);
  } finally {
    closeSync(handle);
  }
}

/** The size is a guess: files under /proc say 0. */
function readAll(handle: number, size: number): Uint8Array | Failure {
  let buffer = Buffer.allocUnsafe(Math.max(size + 1, 4096));
  let length = 0;
  for (;;) {
    const read = readSync(handle, buffer, length, buffer.length - length, null);
    if (read === 0) return buffer.subarray(0, length);
    length += read;
    if (length > MAX_FILE_BYTES) return { code: "ETOOBIG" };
    if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
  }
}

function listFolder(outside: Outside, path: string): readonly string[] | null {
  const found = resolve(outside, path, true);
  if ("code" in found || !found.stats.isDirectory()) return null;
  try {
    const names = readdirSync(outside(found.path), { encoding: "buffer" }).map((name) =>
      name.toString("latin1"),
    );
    return names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  } catch {
    return null;
  }
}

function statPath(outside: Outside, path: string, follow: boolean): FileEntry | null {
  const found = resolve(outside, path, follow);
  if ("code" in found) return null;
  const { stats } = found;
  return {
    kind: kindOf(stats),
    size: stats.size,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    modifiedMs: stats.mtimeMs,
    realPath: found.path,
    target: stats.isSymbolicLink() ? readLink(outside(found.path)) : null,
  };
}

function kindOf(stats: Stats): FileEntry["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  return stats.isSymbolicLink() ? "link" : "other";
}

function readLink(path: Buffer): string | null {
  try {
    return readlinkSync(path, { encoding: "buffer" }).toString("latin1");
  } catch {
    return null;
  }
}

/** path_resolution(7) inside the root: `..` at the top stays at the top. */
function resolve(outside: Outside, path: string, followLast: boolean): Resolved | Failure {
  const pending = path.split("/").reverse();
  const done: string[] = [];
  let stats = lstat(outside("/"));
  let links = 0;
  while (pending.length > 0) {
    const name = pending.pop() ?? "";
    if ("code" in stats) return stats;
    if (name === "" || name === ".") continue;
    if (!stats.isDirectory()) return { code: "ENOTDIR" };
    if (name === "..") {
      done.pop();
      stats = lstat(outside(`/${done.join("/")}`));
      continue;
    }
    const here = `/${[...done, name].join("/")}`;
    const entry = lstat(outside(here));
    if ("code" in entry) return entry;
    const isLast = pending.every((part) => part === "" || part === ".");
    if (!entry.isSymbolicLink() || (isLast && !followLast)) {
      done.push(name);
      stats = entry;
      continue;
    }
    const target = readLink(outside(here));
    if (target === null || ++links > MAX_LINKS) return { code: target === null ? "EIO" : "ELOOP" };
    if (target.startsWith("/")) {
      done.length = 0;
      stats = lstat(outside("/"));
    }
    pending.push(...target.split("/").reverse());
  }
  return "code" in stats ? stats : { path: `/${done.join("/")}`, stats };
}

function lstat(path: Buffer): Stats | Failure {
  try {
    return lstatSync(path);
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): Failure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return { code: code in REASONS ? (code as FileErrorCode) : code === "EPERM" ? "EACCES" : "EIO" };
}
