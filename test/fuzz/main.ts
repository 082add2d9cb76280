/**
 * npm run fuzz -- --seed N --time S [--cases N] [--trees N] [--lines FAMILY|all | --repeats] [--regions | --fixes | --compare | --intents | --upgrade DIR] [--sshd PATH]... [--chroot DIR]... [--keep FOLDER]
 *
 * Compares our reading with real sshds on random trees. Exit code 1 when anything differs. `--cases` counts
 * (configuration, connection) pairs for each sshd, `--trees` the configurations that it accepts. With `--regions` it is
 * asked about the witness of every region of `exposure` and about connections in them, with `--fixes` about what
 * `audit --fix` makes of the tree, with `--compare` about it and a changed or rewritten one, with
 * `--intents` about policy files that are drawn for it, with `--upgrade` also the sshd of the root file system DIR, about
 * what `compare --openssh` says of the way from the first to it. With `--lines` the trees are single lines of few pieces
 * (test/fuzz/lines.ts), with `--repeats` one or two keywords again and again. Found cases are shrunk and printed; those of the reading are kept in `--keep`
 * (default fixtures/fuzz).
 */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatRelease } from "../../grammar/release.ts";
import { corpusFiles } from "../sshd/corpus.ts";
import { openSshd, type Program, type Sshd } from "../sshd/driver.ts";
import { type Judge, runCampaign } from "./campaign.ts";
import { judgeComparison, upgradeTo } from "./compare.ts";
import { judgeFixes } from "./fixes.ts";
import { fixtureOf } from "./fixture.ts";
import { judgeIntents } from "./intents.ts";
import { drawLines, FAMILIES } from "./lines.ts";
import { judgeRegions } from "./regions.ts";
import { drawRepeats } from "./repeats.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    time: { type: "string" },
    cases: { type: "string" },
    trees: { type: "string" },
    regions: { type: "boolean", default: false },
    fixes: { type: "boolean", default: false },
    compare: { type: "boolean", default: false },
    intents: { type: "boolean", default: false },
    upgrade: { type: "string" },
    lines: { type: "string" },
    repeats: { type: "boolean", default: false },
    sshd: { type: "string", multiple: true, default: [] },
    chroot: { type: "string", multiple: true, default: [] },
    most: { type: "string", default: "20" },
    keep: { type: "string", default: join(import.meta.dirname, "../../fixtures/fuzz") },
  },
});

const JUDGES: Readonly<Record<string, Judge>> = {
  regions: judgeRegions,
  fixes: judgeFixes,
  compare: judgeComparison,
  intents: judgeIntents,
};
const newer = values.upgrade === undefined ? null : await openSshd({ chroot: values.upgrade });
if (newer?.kind === "skipped") throw new Error(newer.reason);
const chosen =
  newer === null
    ? Object.entries(JUDGES).find(([mode]) =>
        Object.entries(values).some(([name, on]) => name === mode && on === true),
      )
    : (["upgrade", upgradeTo(newer.sshd)] as const);

const { lines } = values;
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const named: Program[] = [
  ...values.sshd.map((program) => ({ program })),
  ...values.chroot.map((chroot) => ({ chroot })),
];
const seeds = corpusFiles("files").map(({ text }) => text);

async function fuzz(sshd: Sshd): Promise<number> {
  const started = Date.now();
  let told = 0;
  console.log(
    `${sshd.name} (${formatRelease(sshd.release)}): seed ${seed}, ${seeds.length} real files to change`,
  );
  const { pairs, trees, accepted, unknown, differing, differences } = await runCampaign(sshd, {
    seed,
    pairs: values.cases === undefined ? Number.POSITIVE_INFINITY : Number(values.cases),
    milliseconds: values.time === undefined ? limitWithoutTime() : Number(values.time) * 1000,
    trees: values.trees === undefined ? Number.POSITIVE_INFINITY : Number(values.trees),
    mostFound: Number(values.most),
    ...(chosen === undefined ? {} : { judge: chosen[1] }),
    ...(values.repeats ? { generate: (random) => drawRepeats(sshd.release, random) } : {}),
    ...(lines === undefined
      ? {}
      : { generate: (random) => drawLines(random, random.pick(familiesOf(lines))) }),
    seeds,
    progress: (pairs) => {
      if (Math.floor(pairs / 5_000) === told) return;
      told = Math.floor(pairs / 5_000);
      console.log(`${sshd.name}: ${pairs} pairs, ${Math.round((Date.now() - started) / 1000)} s`);
    },
    found: (difference) => {
      if (chosen !== undefined) {
        console.log(`DIFFERENCE of ${chosen[0]}\n${JSON.stringify(difference, null, 2)}`);
        return;
      }
      const text = `${JSON.stringify(fixtureOf(sshd.release, difference), null, 2)}\n`;
      mkdirSync(values.keep, { recursive: true });
      const name = `${createHash("sha256").update(text).digest("hex").slice(0, 10)}.json`;
      writeFileSync(join(values.keep, name), text);
      console.log(`DIFFERENCE ${name}\n${text}`);
    },
  });
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(
    `${sshd.name}: ${pairs} pairs in ${trees} trees (${accepted} accepted, ${unknown} regions unknown), ${differing} trees differ in ${differences.length} ways, ${seconds} s`,
  );
  return differing;
}

function familiesOf(name: string): readonly string[] {
  return name === "all" ? Object.keys(FAMILIES) : [name];
}

function limitWithoutTime(): number {
  return values.cases === undefined && values.trees === undefined ? 60_000 : Number.POSITIVE_INFINITY;
}

let found = 0;
for (const program of named.length === 0 ? [{}] : named) {
  const opened = await openSshd(program);
  if (opened.kind === "skipped") {
    console.error(`fuzz: skipped: ${opened.reason}`);
    process.exitCode = 2;
    continue;
  }
  found += await fuzz(opened.sshd);
  await opened.sshd.close();
}
await newer?.sshd.close();
if (found > 0) process.exitCode = 1;
