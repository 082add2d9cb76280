import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

/** Vitest calls it once before the tests of the bundle. */
export default function build(): void {
  const root = resolve(import.meta.dirname, "../..");
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the build failed: ${stderr}`);
}
