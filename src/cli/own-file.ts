/** A file that an option names, a pipe from `<(…)` as well: what never ends must not fill all memory. */
import { closeSync, openSync, readSync } from "node:fs";
import { MAX_FILE_BYTES } from "../files/folder.ts";

/** @throws with words for people */
export function readOwnFile(path: string): Buffer {
  const handle = openSync(path, "r");
  try {
    const room = Buffer.allocUnsafe(PIECE);
    const pieces: Buffer[] = [];
    for (let size = 0; size <= MAX_FILE_BYTES; ) {
      const length = readSync(handle, room);
      if (length === 0) return Buffer.concat(pieces);
      pieces.push(Buffer.from(room.subarray(0, length)));
      size += length;
    }
  } finally {
    closeSync(handle);
  }
  throw new Error("it is larger than 64 MiB, the limit of sshd-policy");
}

const PIECE = 65_536;
