/** A repository of configurations in one run. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { augtool, sshdPolicy, sshdTest } from "./commands.ts";
import type { Bench } from "./main.ts";
import { comparePair, cpuOf, median } from "./measure.ts";
import type { Row } from "./table.ts";
import { longConfiguration, stockText } from "./texts.ts";

const FILES = 1000;
/** One process a file is what the peer needs; a tenth of them is measured and multiplied. */
const SSHD_SHARE = 0.1;

export const many: Bench = ({ work, runs, scale }) => {
  const times = Math.ceil(runs / 3);
  const number = Math.max(10, Math.round(FILES * scale));
  const folder = join(work, "etc/ssh");
  mkdirSync(folder, { recursive: true });
  const files = Array.from({ length: number }, (_, index) => {
    const file = join(folder, `sshd_config.${index}`);
    writeFileSync(file, `# server ${index}\n${stockText(3000)}\n${longConfiguration(5 * (index % 7))}`);
    return file;
  });
  const ours = sshdPolicy("audit", "--openssh", "9.2", ...files);
  const rows: Row[] = [];
  const augeas = augtool(work, work, "/etc/ssh/sshd_config.*");
  if (augeas !== null) {
    const pair = comparePair(ours, augeas, times);
    const what = "1,000 files audited in one run";
    rows.push({
      what,
      peer: "augtool",
      ours: pair.ours,
      theirs: pair.peer,
      unit: "ms",
      target: { ratioAtMost: 0.4 },
    });
  }
  const share = files.slice(0, Math.ceil(number * SSHD_SHARE));
  const peers = share.map((file) => sshdTest(work, file));
  if (peers.some((peer) => peer === null)) return rows;
  const own = median(Array.from({ length: times }, () => cpuOf(ours)));
  const theirs =
    peers.reduce((sum, peer) => sum + (peer === null ? 0 : cpuOf(peer)), 0) * (number / share.length);
  const note = `the peer's figure from ${share.length} runs`;
  const what = "1,000 files audited in one run";
  rows.push({
    what,
    peer: "1,000 × sshd -T",
    ours: own,
    theirs,
    unit: "ms",
    target: { ratioAtMost: 1 / 25 },
    note,
  });
  return rows;
};
