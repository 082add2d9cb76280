/**
 * A folder seen as `/`. Symbolic links are resolved here, component by component and inside the folder, so that an
 * absolute link or `..` never leads out of it. What is told of a name (bytes, names in it, where a link leads, size and
 * owner) is looked up in its folder as that is held, and the last open refuses links, so that a link put there in between
 * is an error and not a way out. What a path leads through on the way is looked at by its name.
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
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { type HeldFolder, holdFolder } from "./held-folder.ts";
import { type Failure, type Resolved, resolveInside } from "./resolve.ts";
import type { FileContent, FileEntry, FileErrorCode, FileTree } from "./tree.ts";

/** Ours: no configuration is longer; what is, is refused rather than read into memory. */
export const MAX_FILE_BYTES: number = 64 * 1024 * 1024;

/** strerror(3)'s words, and ours for what it has none for. */
const REASONS: Readonly<Record<FileErrorCode, string>> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  ELOOP: "Too many levels of symbolic links",
  ENOTDIR: "Not a directory",
  EIO: "Input/output error",
  ETOOBIG: "larger than 64 MiB, the limit of sshd-policy",
  ESPECIAL: "not a regular file",
};

interface FolderNode {
  readonly kind: FileEntry["kind"];
  readonly stats: Stats;
}

/** `root` as text is UTF-8; a folder of any other name is given as its bytes. */
export function folderTree(root: string | Uint8Array): FileTree {
  const base = Buffer.from(Buffer.from(root).toString("latin1").replace(/\/+$/, ""), "latin1");
  const tree: Tree = { base: base.length === 0 ? base : realPathOf(base), folders: new Map() };
  return {
    read: (path) => whileHolding(tree, (place) => readFile(place, path)),
    list: (path) => whileHolding(tree, (place) => listFolder(place, path)),
    stat: (path, options) => whileHolding(tree, (place) => statPath(place, path, options?.follow ?? true)),
  };
}

/** As it is found on this machine; what is not there stays what it is called, and nothing is found in it. */
function realPathOf(folder: Buffer): Buffer {
  try {
    // a name from the current folder on
    const path = folder[0] === SLASH ? folder : realpathSync.native(folder, "buffer");
    const found = folderTree("/").stat(path.toString("latin1"));
    return found === null ? path : Buffer.from(found.realPath, "latin1");
  } catch {
    return folder;
  }
}

const SLASH = 0x2f;

interface Tree {
  /** the root without links and without a slash at its end; its own name may hold any characters */
  readonly base: Buffer;
  /** folders that a path has led through: most paths that are asked for share theirs */
  readonly folders: Map<string, FolderNode>;
}

interface Place extends Pick<Tree, "folders"> {
  /** from a path inside the tree to a real one by names, which a link may lead out of the tree by now */
  readonly named: (inside: string) => Buffer;
  /** the same in the folder that is held. @throws where that is not there any more */
  readonly at: (inside: string) => Buffer;
  /** it is this machine's own `/` */
  readonly isOwn: boolean;
}

/** The folder of what is asked for is held until all is done. Of `/` itself nothing lies outside. */
function whileHolding<T>({ base, folders }: Tree, act: (place: Place) => T): T {
  const named = (inside: string): Buffer => Buffer.concat([base, Buffer.from(inside, "latin1")]);
  if (base.length === 0) return act({ folders, named, at: named, isOwn: true });
  let name: string | null = null;
  let folder: HeldFolder | null = null;
  const hold = (next: string | null): void => {
    if (next === name) return;
    folder?.release();
    [name, folder] = [null, null];
    if (next !== null) folder = holdFolder(named(next));
    name = next;
  };
  const at = (inside: string): Buffer => {
    const end = inside.lastIndexOf("/");
    hold(inside.slice(0, end));
    return folder === null ? named(inside) : Buffer.from(folder.place + inside.slice(end), "latin1");
  };
  try {
    return act({ folders, named, at, isOwn: false });
  } finally {
    hold(null);
  }
}

function readFile(place: Place, path: string): FileContent {
  const found = resolve(place, path, "follow");
  if ("code" in found) return unreadable(found.code);
  const { kind, stats } = found.node;
  if (kind === "folder") return { kind };
  if (kind !== "file") return unreadable("ESPECIAL");
  if (stats.size > MAX_FILE_BYTES) return unreadable("ETOOBIG");
  const bytes = readBytes(place, found.path);
  return bytes instanceof Uint8Array ? { kind: "file", bytes, realPath: found.path } : unreadable(bytes.code);
}

/** A file that cannot be read, with the reason in words. */
export function unreadable(code: FileErrorCode): FileContent {
  return { kind: "unreadable", code, reason: REASONS[code] };
}

/** Opens without following a link and without waiting for a FIFO's other end. */
function readBytes({ at }: Place, inside: string): Uint8Array | Failure {
  let handle: number;
  try {
    handle = openSync(at(inside), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return failure(error);
  }
  try {
    const stats = fstatSync(handle);
    return stats.isFile() ? readAll(handle, stats.size) : { code: "ESPECIAL" };
  } catch (error) {
    return failure(error);
  } finally {
    closeSync(handle);
  }
}

/** The size is a guess: files under /proc say 0, and a file may grow while it is read. */
function readAll(handle: number, size: number): Uint8Array | Failure {
  let buffer = Buffer.allocUnsafe(size > 0 ? size + 1 : 4096);
  let length = 0;
  for (;;) {
    const read = readSync(handle, buffer, length, buffer.length - length, null);
    if (read === 0) return buffer.subarray(0, length);
    length += read;
    // of a regular file less than asked for is all
    if (size > 0 && length >= size && length < buffer.length) return buffer.subarray(0, length);
    if (length > MAX_FILE_BYTES) return { code: "ETOOBIG" };
    if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
  }
}

function listFolder(place: Place, path: string): readonly string[] | null {
  const found = resolve(place, path, "follow");
  if ("code" in found || found.node.kind !== "folder") return null;
  try {
    const names = readdirSync(place.at(found.path === "/" ? "/." : `${found.path}/.`), {
      encoding: "buffer",
    }).map((name) => name.toString("latin1"));
    return names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  } catch {
    return null;
  }
}

function statPath(place: Place, path: string, follow: boolean): FileEntry | null {
  const found = resolve(place, path, follow ? "follow" : "keep");
  if ("code" in found) return null;
  // most of what is asked for is not there; of what is, only what its folder says now is told
  const node = place.isOwn ? found.node : lstat(place, place.at, found.path);
  if ("code" in node || node.kind !== found.node.kind) return null;
  const { kind, stats } = node;
  return {
    kind,
    size: stats.size,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    modifiedMs: stats.mtimeMs,
    realPath: found.path,
    target: kind === "link" ? readLink(place, found.path) : null,
  };
}

function kindOf(stats: Stats): FileEntry["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  return stats.isSymbolicLink() ? "link" : "other";
}

function readLink({ at }: Place, inside: string): string | null {
  try {
    return readlinkSync(at(inside), { encoding: "buffer" }).toString("latin1");
  } catch {
    return null;
  }
}

function resolve(place: Place, path: string, last: "follow" | "keep"): Resolved<FolderNode> | Failure {
  return resolveInside(
    {
      at: (inside, rest) =>
        rest.length > 0 ? passedThrough(place, inside) : lstat(place, place.named, inside),
      targetOf: (inside) => readLink(place, inside),
    },
    path,
    last,
  );
}

function passedThrough(place: Place, inside: string): FolderNode | Failure {
  const known = place.folders.get(inside);
  if (known !== undefined) return known;
  const found = lstat(place, place.named, inside);
  if ("kind" in found && found.kind === "folder") place.folders.set(inside, found);
  return found;
}

function lstat({ isOwn }: Place, pathOf: Place["at"], inside: string): FolderNode | Failure {
  try {
    const path = pathOf(inside);
    // most of what is looked for is not there, and an error takes longer to make than the call
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return { code: "ENOENT" };
    const kind = kindOf(stats);
    return (
      (kind === "link" && isOwn && inside.startsWith("/proc/") && foreignFolder(path)) || { kind, stats }
    );
  } catch (error) {
    return failure(error);
  }
}

/** /proc/PID/root: what such a link holds is its name there (proc(5)), and where it leads only the kernel knows. */
function foreignFolder(path: Buffer): FolderNode | null {
  if (!/\/(root|cwd)$/.test(path.toString("latin1"))) return null;
  const stats = statSync(path);
  return stats.isDirectory() ? { kind: "folder", stats } : null;
}

function failure(error: unknown): Failure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return { code: code in REASONS ? (code as FileErrorCode) : code === "EPERM" ? "EACCES" : "EIO" };
}
