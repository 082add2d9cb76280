/** The benches still run: everything once, on small inputs; figures of such runs mean nothing and are not looked at. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

function bench(...args: readonly string[]): { status: number | null; rows: number; stderr: string } {
  const run = spawnSync(join(ROOT, "node_modules/.bin/tsx"), ["bench/main.ts", ...args], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const rows = run.stdout.split("\n").filter((line) => /^\| .*\d (?:ms|MB\/s|MiB|\/s) /.test(line));
  return { status: run.status, rows: rows.length, stderr: run.stderr };
}

it.each([
  ["start", 5],
  ["parse", 4],
  ["hostile", 9],
  ["exposure", 7],
])("npm run bench %s measures %i things", { timeout: 600_000 }, (name, rows) => {
  expect(bench(name, "--quick")).toEqual({ status: 0, rows, stderr: `${name} …\n` });
});

it("an unknown bench is refused, with the names of those that there are", () => {
  expect(bench("speed")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("known are start, parse"),
  });
});
