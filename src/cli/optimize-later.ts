/**
 * V8 compiles functions a second time, for speed, after little use, and threads of it then use more of the processor
 * than a run of half a second gains. `budget`: how much a function is used before, in bytes of its code that ran. To be
 * called behind the loading of code: V8 takes no cached code that was made with other flags.
 */
export function optimizeLater(budget: number): void {
  process.getBuiltinModule("node:v8").setFlagsFromString(`--interrupt-budget=${budget}`);
}
