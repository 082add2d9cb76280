/** Standard output without `process.stdout`, whose streams, sockets and terminals cost 2 ms to load. */
import { fstatSync, writeSync } from "node:fs";

const STANDARD_OUTPUT = 1;
/** /dev/null and its like on Linux (Documentation/admin-guide/devices.txt) */
const MEMORY_DEVICES = 1;

export function isTerminal(): boolean {
  const status = fstatSync(STANDARD_OUTPUT);
  const major = (status.rdev >> 8) & 0xfff;
  return status.isCharacterDevice() && major !== MEMORY_DEVICES && process.stdout.isTTY === true;
}

/** Writes everything. A reader that closes the pipe early (head) is no error. */
export function writeStandardOutput(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(STANDARD_OUTPUT, bytes, at);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw error;
      // a pipe that the caller made non-blocking and that is full: Node's stream waits
      writeWhenReady(bytes.subarray(at));
      return;
    }
  }
}

function writeWhenReady(bytes: Uint8Array): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  process.stdout.write(bytes);
}
