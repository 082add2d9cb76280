/** A result and how long it took, without what else runs on the machine: a bound on that holds beside load. */
export function timed<T>(run: () => T): { readonly result: T; readonly cpuSeconds: number } {
  const before = process.cpuUsage();
  const result = run();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuSeconds: (user + system) / 1e6 };
}
