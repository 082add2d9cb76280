import type { RecordOptions } from "./recorded.ts";

/** With `--events` the run is recorded. */
export async function answered(
  command: string,
  { events }: RecordOptions,
  run: () => Promise<number>,
): Promise<number> {
  return events === undefined ? run() : (await import("./recorded.ts")).recorded(command, events, run);
}
