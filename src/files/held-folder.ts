/**
 * A folder that is kept open, so that names are looked up in it whatever becomes of its path. Node.js has no openat(2);
 * Linux leads to what is open by names of its own (proc(5), /proc/PID/fd).
 */
import { closeSync, constants, openSync, readlinkSync } from "node:fs";

export interface HeldFolder {
  /** its name for this process alone */
  readonly place: string;
  /** the open folder, for a program that is started */
  readonly handle: number;
  readonly release: () => void;
}

/** Not in Node.js's list (open(2)): the folder need not be readable. */
const O_PATH = 0o10000000;

/** The root of another process (proc(5)): what lies below it has no name among ours. */
const FOREIGN = /^(\/proc\/[^/]+\/(?:root|cwd))(?:\/|$)/;

/** `path`: absolute. Null: this system has no such names. @throws ENOENT; ELOOP where a link is part of it, or it is no folder */
export function holdFolder(path: Uint8Array): HeldFolder | null {
  if (process.platform !== "linux") return null;
  const name = Buffer.from(path).toString("latin1");
  const [, start] = FOREIGN.exec(name) ?? [];
  if (start !== undefined) return holdStepwise(start, name.slice(start.length));
  const held = open(name, 0);
  const now = nameOf(held);
  // the kernel's name of what is open is the one asked for, unless a link led there
  if (now === name) return held;
  held.release();
  if (now === null) return null;
  throw notTheFolder(name, "ELOOP");
}

function holdStepwise(start: string, below: string): HeldFolder {
  let held = open(start, 0);
  for (const name of below.split("/").filter((part) => part !== "")) {
    const above = held;
    try {
      held = open(`${above.place}/${name}`, constants.O_NOFOLLOW, start + below);
    } finally {
      above.release();
    }
  }
  return held;
}

/** `known`: the name that people know. */
function open(path: string, flags: number, known: string = path): HeldFolder {
  try {
    const handle = openSync(Buffer.from(path, "latin1"), O_PATH | constants.O_DIRECTORY | flags);
    return { place: `/proc/self/fd/${handle}`, handle, release: () => closeSync(handle) };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code === "ENOENT") throw notTheFolder(known, code);
    // what openat(2) says of a link with these flags
    throw code === "ENOTDIR" ? notTheFolder(known, "ELOOP") : error;
  }
}

/** Null without a /proc. */
function nameOf({ place }: HeldFolder): string | null {
  try {
    return readlinkSync(place, "buffer").toString("latin1");
  } catch {
    return null;
  }
}

function notTheFolder(path: string, code: "ENOENT" | "ELOOP"): Error {
  const because = code === "ENOENT" ? "is not there" : "is no folder, or a link leads to it";
  return Object.assign(new Error(`${path} ${because}`), { code });
}
