/** Standard input can be read once only, and one command may ask for it twice: as two releases read it. */
import { readSync } from "node:fs";
import { MAX_FILE_BYTES, unreadable } from "../files/folder.ts";
import type { FileContent } from "../files/tree.ts";

let given: Uint8Array | FileContent | null = null;

/** As if it were the file at `realPath`. */
export function standardInput(realPath: string): FileContent {
  given ??= readAll();
  return given instanceof Uint8Array ? { kind: "file", bytes: given, realPath } : given;
}

function readAll(): Uint8Array | FileContent {
  const buffer = Buffer.allocUnsafe(CHUNK);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const chunk = readSome(buffer);
      length += chunk.length;
      if (length > MAX_FILE_BYTES) return unreadable("ETOOBIG");
      if (chunk.length === 0) return Buffer.concat(chunks);
      chunks.push(chunk);
    }
  } catch (error) {
    return codeOf(error) === "EISDIR" ? { kind: "folder" } : unreadable("EIO");
  }
}

const CHUNK = 65_536;

/** Who holds the other end may have made it one that does not wait. */
function readSome(buffer: Buffer): Uint8Array {
  for (;;) {
    try {
      return Buffer.from(buffer.subarray(0, readSync(0, buffer)));
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

const PAUSE_MS = 20;

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
