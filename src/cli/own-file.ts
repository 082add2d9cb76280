/** What the user gives by a name or on standard input, a pipe from `<(…)` as well: what never ends must not fill all memory. */
import { closeSync, openSync, readSync } from "node:fs";
import { MAX_FILE_BYTES } from "../files/folder.ts";

/** @throws with words for people */
export function readOwnFile(path: string): Buffer {
  const handle = openSync(path, "r");
  try {
    const bytes = readToEnd(handle);
    if (bytes !== null) return bytes;
  } finally {
    closeSync(handle);
  }
  throw new Error("it is larger than 64 MiB, the limit of sshd-policy");
}

/** Null: there are more than MAX_FILE_BYTES. */
export function readToEnd(handle: number): Buffer | null {
  const room = Buffer.allocUnsafe(PIECE);
  const pieces: Buffer[] = [];
  for (let size = 0; size <= MAX_FILE_BYTES; ) {
    const length = readSome(handle, room);
    if (length === 0) return Buffer.concat(pieces);
    pieces.push(Buffer.from(room.subarray(0, length)));
    size += length;
  }
  return null;
}

const PIECE = 65_536;

/** Who holds the other end may have made it one that does not wait. */
function readSome(handle: number, room: Buffer): number {
  for (;;) {
    try {
      return readSync(handle, room);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

const PAUSE_MS = 20;
