/** What a machine may lack: tests that need it are skipped, and say what is missing. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, test } from "vitest";

/** What is missing, in words. */
export type Missing = string | null;

export const NOT_ROOT: Missing = process.getuid?.() === 0 ? null : "not root";
export const NOT_LINUX: Missing = process.platform === "linux" ? null : "not Linux";

export function whyNoFile(...paths: readonly string[]): Missing {
  const absent = paths.find((path) => !existsSync(path));
  return absent === undefined ? null : `no ${absent}`;
}

/** Programs that know --version. */
export function whyNoTool(...names: readonly string[]): Missing {
  const absent = names.find((name) => spawnSync(name, ["--version"]).status !== 0);
  return absent === undefined ? null : `no ${absent}`;
}

/** The body may count on what is there: it does not run where something is missing. */
export function describeUnless(missing: Missing, name: string, run: () => void): void {
  describe(name, missing === null ? run : () => test.skip(missing, () => {}));
}

export function testUnless(missing: Missing, name: string, run: () => void | Promise<void>): void {
  if (missing === null) test(name, run);
  else test.skip(`${name}: ${missing}`, run);
}
