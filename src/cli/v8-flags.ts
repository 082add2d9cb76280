/**
 * V8's threads and its large heap cost short runs more than they gain by them. To be called behind the loading of code:
 * V8 takes no cached code that was made with other flags.
 */

/**
 * For runs of some hundred milliseconds. V8 compiles functions a second time, for speed, after little use: later, when a
 * million bytes of its code ran. New objects are sorted out by one thread: several cost more than they gain while
 * there are a few megabytes.
 */
export function useOneThread(): void {
  setFlags(11, "--interrupt-budget=1000000");
  setFlags(NEWEST_SEEN, "--no-parallel-scavenge");
}

/**
 * For images, whose headers are thousands of short calls: most runs end before V8's second compilers, of JavaScript and
 * of WebAssembly, have paid (by default WebAssembly's begins at 1.8 million bytes of code that ran; headers of 50,000
 * files take 20 million), and its other threads take longer to wake than what they are given would take here. Most regular
 * expressions are used once or twice.
 */
export function readInOneThread(): void {
  useOneThread();
  setFlags(
    11,
    "--max-bytecode-size-for-early-opt=0",
    "--wasm-tiering-budget=20000000",
    "--wasm-lazy-validation",
    "--no-concurrent-array-buffer-sweeping",
    "--no-minor-gc-task",
    "--no-regexp-peephole-optimization",
  );
}

/**
 * For a heap of more than a hundred megabytes: little room for new objects, and it grows by two fifths, not by as much
 * again, until it is looked through. Saves a sixth of the memory, costs a fifth of the time.
 */
export function collectSooner(): void {
  setFlags(NEWEST_SEEN, "--semi-space-growth-factor=1", "--heap-growing-percent=40");
}

/**
 * For streams, whose packets come and go: glibc gives freed memory back to the kernel piece by piece, and takes it again, page
 * by page, until something large was freed; from then on it keeps twice as much (mallopt(3), M_MMAP_THRESHOLD).
 */
export function keepFreedMemory(): void {
  void new ArrayBuffer(16 * 1024 * 1024);
}

/** Node.js 20 has V8 11, 22 has 12, 24 has 13. */
const NEWEST_SEEN = 13;

/** What a V8 after `lastKnown` does not know it complains about on standard error. */
function setFlags(lastKnown: number, ...flags: readonly string[]): void {
  if (Number.parseInt(process.versions.v8, 10) > lastKnown) return;
  process.getBuiltinModule("node:v8").setFlagsFromString(flags.join(" "));
}

/** ssh2 has a cipher in WebAssembly, without which it ends the process with an error of its own; null: it is there. */
export function whyNoSsh(): string | null {
  return "WebAssembly" in globalThis
    ? null
    : "SSH needs WebAssembly, which this Node.js was started without (--jitless, or --no-expose-wasm)";
}
