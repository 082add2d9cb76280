/**
 * Small writes that belong together leave together: what the events of one turn bring about is held until its end. ssh2
 * writes each packet in three pieces (length, text, tag), and with TCP_NODELAY each would be a system call and a segment
 * of its own, and wake the other side.
 */
import type { Writable } from "node:stream";

/** What is less is copied, since a piece that waits for the system takes memory of its own, some 200 bytes of it. */
const SMALL = 4 * 1024;
/** So much is held at most: the limits of what may wait (src/forward/guards.ts) do not see it. */
const MOST_HELD = 256 * 1024;

/** What it gives lets go at once of what is held: where the other side can begin while we still have things to do. */
export function gatherWrites(stream: Writable): () => void {
  const write: (chunk: Buffer) => boolean = stream.write.bind(stream);
  const end = stream.end.bind(stream);
  let held: Buffer[] = [];
  let size = 0;
  const release = (): void => {
    if (held.length === 0) return;
    const pieces = together(held);
    held = [];
    size = 0;
    stream.cork();
    for (const piece of pieces) write(piece);
    stream.uncork();
  };
  stream.write = (chunk: Buffer): boolean => {
    if (held.length === 0) setImmediate(release);
    held.push(chunk);
    size += chunk.length;
    if (size >= MOST_HELD) release();
    return !stream.writableNeedDrain;
  };
  stream.end = (...last: []): typeof stream => {
    release();
    return end(...last);
  };
  return release;
}

/** Neighbours that are small become one. */
function together(pieces: readonly Buffer[]): readonly Buffer[] {
  const found: Buffer[] = [];
  let run: Buffer[] = [];
  const close = (): void => {
    if (run.length > 0) found.push(Buffer.concat(run));
    run = [];
  };
  for (const piece of pieces) {
    if (piece.length < SMALL) run.push(piece);
    else {
      close();
      found.push(piece);
    }
  }
  close();
  return found;
}
