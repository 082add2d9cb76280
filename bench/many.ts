/** A repository of configurations in one run. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CORPUS_MISSING, corpusFiles } from "../test/sshd/corpus.ts";
import { augtool, sshdPolicy, sshdTest } from "./commands.ts";
import type { Bench } from "./main.ts";
import { comparePair, cpuOf, median } from "./measure.ts";
import type { Row } from "./table.ts";
import { longConfiguration, ownPolicy, stockText } from "./texts.ts";

const FILES = 1000;
/** One process a file is what the peer needs; a tenth of them is measured and multiplied. */
const SSHD_SHARE = 0.1;
/** sshd refuses some of the real files. */
const ANY_VERDICT: readonly number[] = [0, 255];

/**
 * A fleet repeats itself up to comments, or also has addresses and keys of its own on each server; servers that are set
 * up from one template have their own people and targets in it; of those that were set up one by one no two are alike.
 */
const MADE: readonly { readonly what: string; readonly textOf: (index: number) => string }[] = [
  {
    what: "1,000 files of a fleet in one run",
    textOf: (index) => `# server ${index}\n${stockText(3000)}\n${longConfiguration(5 * (index % 7))}`,
  },
  {
    what: "1,000 files with addresses of their own",
    textOf: (index) =>
      `# server ${index}\n${stockText(3000)}\nListenAddress 10.0.${index >> 8}.${index & 255}\nHostKey /etc/ssh/key.${index}\nAllowGroups staff\n${longConfiguration(5 * (index % 7))}`,
  },
  {
    what: "1,000 files with people of their own",
    textOf: (index) =>
      `# server ${index}\n${stockText(3000)}\nAllowGroups staff${index}\n${longConfiguration(5 * (index % 7))}`
        .replaceAll("User user", `User user${index}-`)
        .replaceAll(".example", `.site${index}.example`),
  },
  {
    what: "1,000 files with policies of their own",
    textOf: (index) => `# server ${index}\n${stockText(3000)}\n${ownPolicy(index)}`,
  },
];

export const many: Bench = ({ work, runs, scale }) => {
  const times = Math.ceil(runs / 3);
  const number = Math.max(10, Math.round(FILES * scale));
  const made = MADE.map(({ what, textOf }) => ({
    what,
    texts: Array.from({ length: number }, (_, index) => textOf(index)),
  }));
  return [...made, ...realFiles(scale)].flatMap(({ what, texts }, set) => {
    const root = join(work, `many-${set}`);
    const folder = join(root, "etc/ssh");
    mkdirSync(folder, { recursive: true });
    const files = texts.map((text, index) => {
      const file = join(folder, `sshd_config.${index}`);
      writeFileSync(file, text, "latin1");
      return file;
    });
    return rowsOf(what, { work, root, files, times });
  });
};

/** No two of them are the same. */
function realFiles(scale: number): readonly { readonly what: string; readonly texts: readonly string[] }[] {
  if (CORPUS_MISSING !== null) {
    process.stderr.write(`without real files: ${CORPUS_MISSING}\n`);
    return [];
  }
  const all = corpusFiles("files").map(({ text }) => text);
  const texts = all.slice(0, Math.max(10, Math.round(all.length * scale)));
  return [{ what: `${texts.length} real files`, texts }];
}

interface Files {
  readonly work: string;
  readonly root: string;
  readonly files: readonly string[];
  readonly times: number;
}

function rowsOf(what: string, { work, root, files, times }: Files): Row[] {
  const ours = sshdPolicy("audit", "--openssh", "9.2", ...files);
  const rows: Row[] = [];
  const augeas = augtool(work, root, "/etc/ssh/sshd_config.*");
  if (augeas !== null) {
    const pair = comparePair(ours, augeas, times);
    rows.push({
      what,
      peer: "augtool",
      ours: pair.ours,
      theirs: pair.peer,
      unit: "ms",
      target: { ratioAtMost: 0.4 },
    });
  }
  const share = files.slice(0, Math.ceil(files.length * SSHD_SHARE));
  const peers = share.map((file) => sshdTest(work, file));
  if (peers.some((peer) => peer === null)) return rows;
  const own = median(Array.from({ length: times }, () => cpuOf(ours)));
  const theirs =
    peers.reduce((sum, peer) => sum + (peer === null ? 0 : cpuOf({ ...peer, exits: ANY_VERDICT })), 0) *
    (files.length / share.length);
  const note = `the peer's figure from ${share.length} runs`;
  rows.push({
    what,
    peer: `${files.length} × sshd -T`,
    ours: own,
    theirs,
    unit: "ms",
    target: { ratioAtMost: 1 / 25 },
    note,
  });
  return rows;
}
