/** Standard output and error without `process.stdout` and `process.stderr`, whose streams take 5 ms to load. */
import { fstatSync, writeSync } from "node:fs";

const OUTPUT = 1;
const ERROR = 2;
/** /dev/null and its like on Linux (Documentation/admin-guide/devices.txt) */
const MEMORY_DEVICES = 1;

export function isTerminal(): boolean {
  return isCharacterDevice(OUTPUT) && process.stdout.isTTY === true;
}

export function isErrorTerminal(): boolean {
  return isCharacterDevice(ERROR) && process.stderr.isTTY === true;
}

function isCharacterDevice(descriptor: number): boolean {
  const status = fstatSync(descriptor);
  const major = (status.rdev >> 8) & 0xfff;
  return status.isCharacterDevice() && major !== MEMORY_DEVICES;
}

/** Writes everything. A reader that closes the pipe early (head) is no error: the pieces behind it are not made. */
export function writeStandardOutput(pieces: Iterable<Uint8Array>): void {
  let stream: NodeJS.WriteStream | null = null;
  for (const piece of pieces) {
    const left = stream === null ? writeNow(OUTPUT, piece) : piece;
    if (left === null) return;
    if (left.length === 0) continue;
    stream ??= waiting(process.stdout);
    stream.write(left);
  }
}

/** As writeStandardOutput, of text; where it cannot be written there is nowhere to say so, and the exit code still tells. */
export function writeStandardError(text: string): void {
  try {
    const left = writeNow(ERROR, Buffer.from(text));
    if (left === null || left.length === 0) return;
    if (process.stderr.listenerCount("error") === 0) process.stderr.on("error", () => {});
    process.stderr.write(left);
  } catch {
    // a full disk
  }
}

/** What is left: of a pipe that the caller made non-blocking and that is full. Null: nobody reads any more. */
function writeNow(descriptor: number, bytes: Uint8Array): Uint8Array | null {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EAGAIN") return bytes.subarray(at);
      if (code === "EPIPE") return null;
      throw error;
    }
  }
  return bytes.subarray(bytes.length);
}

/** Node's stream waits. */
function waiting(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
