/**
 * Small writes that belong together leave together: what the events of one turn bring about is held until its end. ssh2
 * writes each packet in three pieces (length, text, tag), and with TCP_NODELAY each would be a system call and a segment
 * of its own, and wake the other side.
 */
import type { Writable } from "node:stream";

/** What it gives lets go at once of what is held: where the other side can begin while we still have things to do. */
export function gatherWrites(stream: Writable): () => void {
  const write: (chunk: Buffer) => boolean = stream.write.bind(stream);
  let held = false;
  const release = (): void => {
    if (!held) return;
    held = false;
    stream.uncork();
  };
  stream.write = (chunk: Buffer): boolean => {
    if (!held) {
      held = true;
      stream.cork();
      setImmediate(release);
    }
    return write(chunk);
  };
  return release;
}
