/**
 * `npm run bench -- [NAME…] [--quick]`: measures the release in dist/ (npm run build). `--quick` runs everything once
 * on small inputs, to see that the benches work; its figures mean nothing.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isReached, type Row, tableOf } from "./table.ts";

/** What a bench gets: where it may write, and how much it shall do. */
export interface Effort {
  /** an empty folder of its own */
  readonly work: string;
  /** pairs of runs */
  readonly runs: number;
  /** 1, or a small fraction of the sizes for --quick */
  readonly scale: number;
}

export type Bench = (effort: Effort) => Promise<readonly Row[]> | readonly Row[];

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  start: async () => (await import("./start.ts")).start,
  parse: async () => (await import("./parse.ts")).parse,
  size: async () => (await import("./size.ts")).size,
  hostile: async () => (await import("./hostile.ts")).hostile,
  exposure: async () => (await import("./exposure.ts")).exposure,
  probe: async () => (await import("./probe.ts")).probe,
  images: async () => (await import("./images.ts")).images,
  many: async () => (await import("./many.ts")).many,
  "forward-down": async () => (await import("./forward.ts")).forwardStream("down"),
  "forward-up": async () => (await import("./forward.ts")).forwardStream("up"),
  "forward-long": async () => (await import("./forward.ts")).forwardLong,
  "forward-short": async () => (await import("./forward.ts")).forwardShort,
};

/** "forward" is all of "forward-…" */
function fits(bench: string, name: string): boolean {
  return bench === name || bench.startsWith(`${name}-`);
}

async function main(args: readonly string[]): Promise<number> {
  const quick = args.includes("--quick");
  const names = args.filter((arg) => !arg.startsWith("--"));
  const unknown = names.find((name) => !Object.keys(BENCHES).some((bench) => fits(bench, name)));
  if (unknown !== undefined) {
    process.stderr.write(`there is no bench "${unknown}": known are ${Object.keys(BENCHES).join(", ")}\n`);
    return 2;
  }
  if (!existsSync(join(import.meta.dirname, "../dist/cli.js"))) {
    process.stderr.write("there is no dist/: npm run build makes what is measured\n");
    return 2;
  }
  const rows: Row[] = [];
  for (const [name, load] of Object.entries(BENCHES)) {
    if (names.length > 0 && !names.some((wanted) => fits(name, wanted))) continue;
    process.stderr.write(`${name} …\n`);
    const work = mkdtempSync(join(tmpdir(), "sshd-policy-bench-"));
    try {
      const found = await (await load())({ work, runs: quick ? 1 : 9, scale: quick ? 0.01 : 1 });
      // at once: a long call that is stopped has shown what it measured
      process.stdout.write(tableOf(found));
      rows.push(...found);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return quick || rows.every(isReached) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
