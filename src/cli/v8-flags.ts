/**
 * Threads of V8 use more of the processor than short runs gain by them. To be called behind the loading of code: V8
 * takes no cached code that was made with other flags.
 */

/**
 * V8 compiles functions a second time, for speed, after little use. `budget`: how much a function is used before, in
 * bytes of its code that ran.
 */
export function optimizeLater(budget: number): void {
  setFlag(`--interrupt-budget=${budget}`);
}

/** New objects are sorted out by one thread: several cost more than they gain while there are a few megabytes. */
export function collectInOneThread(): void {
  setFlag("--no-parallel-scavenge");
}

function setFlag(flag: string): void {
  process.getBuiltinModule("node:v8").setFlagsFromString(flag);
}
