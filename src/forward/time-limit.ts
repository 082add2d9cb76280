/** An end of waiting that counts only the time in which this process runs. */

const STEPS = 10;
/** What Node.js's timers take; of more they make 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * `over` is called once, when so much time has passed, unless what it gives is called before. A step in which the process
 * was stopped (SIGSTOP, a virtual machine that moves) does not count: what came meanwhile has not been read yet.
 */
export function limitTime(ms: number, over: () => void): () => void {
  const step = Math.min(ms / STEPS, LONGEST_MS);
  let left = Math.ceil(ms / step);
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - last < 2 * step + SLACK_MS) left--;
    last = now;
    if (left > 0) return;
    clearInterval(timer);
    over();
  }, step);
  return () => clearInterval(timer);
}

/** No step is so short that a busy machine would never count one. */
const SLACK_MS = 50;
