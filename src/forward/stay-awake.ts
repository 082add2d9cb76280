/**
 * Between two chunks of a fast stream there is less time than it takes to fall asleep and to be woken, by an interrupt
 * that the other side's processor must send: sshd and we would wait for each other in turn.
 */

/** How long to look again and again for the next chunk. */
const AWAKE_MS = 0.05;
/** A stream's chunks are at least so large, and come so soon after each other. */
const STREAM_BYTES = 16 * 1024;
const SOON_MS = 0.5;

/** Call what it gives with the size of each chunk: while that is a fast stream, the event loop does not wait. */
export function staysAwake(): (bytes: number) => void {
  let last = Number.NEGATIVE_INFINITY;
  let isAwake = false;
  const look = (): void => {
    if (performance.now() - last < AWAKE_MS) setImmediate(look);
    else isAwake = false;
  };
  return (bytes) => {
    if (bytes < STREAM_BYTES) return;
    const now = performance.now();
    const isFast = now - last < SOON_MS;
    last = now;
    if (!isFast || isAwake) return;
    isAwake = true;
    setImmediate(look);
  };
}
