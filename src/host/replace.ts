/**
 * Replaces a file's bytes atomically, or not at all: a new file in the same folder with the old one's mode, owner, ACL,
 * extended attributes and label, synced, renamed over it, and the folder synced.
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

export interface Replacement {
  /** real path on this machine, without links in its last part */
  readonly path: string;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

export type ReplaceResult =
  | { readonly kind: "replaced" }
  | { readonly kind: "refused"; readonly because: string };

export function replaceFile({ path, before, after }: Replacement): ReplaceResult {
  const refused = whyNot(path, before);
  if (refused !== null) return { kind: "refused", because: refused };
  const old = lstatSync(path);
  const temporary = join(dirname(path), `.${basename(path)}.sshd-policy-${process.pid}`);
  try {
    createTwin(path, temporary, old);
    writeTwin(temporary, after, old);
    // the last look before the swap: whoever edits the file at the same time must not lose that
    const changed = whyNot(path, before);
    if (changed !== null) throw new Error(changed);
    renameSync(temporary, path);
    syncFolder(dirname(path));
    return { kind: "replaced" };
  } catch (error) {
    removeIfThere(temporary);
    return { kind: "refused", because: describe(path, error) };
  }
}

function whyNot(path: string, before: Uint8Array): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return `${path} is gone`;
  if (!stats.isFile()) return `${path} is not a regular file`;
  if (stats.nlink > 1) {
    return `${path} has ${stats.nlink} hard links: replacing it would cut the others off; edit it by hand, or copy it first`;
  }
  const now = readFileSync(path);
  return Buffer.compare(now, before) === 0
    ? null
    : `${path} was changed by somebody else meanwhile: run again`;
}

/** GNU cp keeps what Node.js has no function for: ACLs, extended attributes, the SELinux label. */
function createTwin(path: string, temporary: string, old: Stats): void {
  const copied = spawnSync(
    "cp",
    ["--attributes-only", "--preserve=all", "--no-dereference", "--", path, temporary],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  if (copied.status === 0) return;
  removeIfThere(temporary);
  // without GNU cp a plain twin is right only where the file carries nothing but mode and owner
  const handle = openSync(temporary, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  try {
    fchownSync(handle, old.uid, old.gid);
    fchmodSync(handle, old.mode & 0o7777);
  } finally {
    closeSync(handle);
  }
  if (process.platform === "linux" && copied.error === undefined) {
    throw new Error(
      `its attributes cannot be copied: ${copied.stderr.toString("latin1").split("\n", 1)[0] ?? ""}`,
    );
  }
}

function writeTwin(temporary: string, bytes: Uint8Array, old: Stats): void {
  const handle = openSync(temporary, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    ftruncateSync(handle, 0);
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at, bytes.length - at);
    const twin = fstatSync(handle);
    // a chown clears the set-id bits, so owner first
    if (twin.uid !== old.uid || twin.gid !== old.gid) fchownSync(handle, old.uid, old.gid);
    fchmodSync(handle, old.mode & 0o7777);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // it was never made
  }
}

function describe(path: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EPERM")
    return `${path} cannot be replaced: it or its folder is immutable (lsattr), or not yours`;
  if (code === "EACCES") return `${path} cannot be replaced: no permission to write in ${dirname(path)}`;
  if (code === "EROFS") return `${path} cannot be replaced: the file system is read-only`;
  if (code === "ENOSPC") return `${path} cannot be replaced: no space left`;
  return `${path} cannot be replaced: ${error instanceof Error ? error.message : String(error)}`;
}
