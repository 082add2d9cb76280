/** Long files, beside sshd itself, and the memory that they take. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { NODE_FLOOR, sshdPolicy, sshdTest } from "./commands.ts";
import type { Bench } from "./main.ts";
import { comparePair, peakMemory } from "./measure.ts";
import type { Row } from "./table.ts";
import { longConfiguration } from "./texts.ts";

const CONNECTION = "user=user7,host=198.51.100.7,addr=198.51.100.7,laddr=192.0.2.1,lport=22";

export const size: Bench = async ({ work, runs, scale }) => {
  const rows: Row[] = [];
  for (const lines of [10_000, 100_000]) {
    const file = join(work, `lines-${lines}`);
    writeFileSync(file, longConfiguration(Math.round(lines * scale)));
    const sshd = sshdTest(work, file, "-C", CONNECTION);
    const peer = sshd === null ? "node -e 0" : "sshd -T";
    const what = `check of ${lines} lines`;
    const pair = comparePair(sshdPolicy("check", "--openssh", "9.2", file), sshd ?? NODE_FLOOR, runs);
    rows.push({ what, peer, ours: pair.ours, theirs: pair.peer, unit: "ms", target: { none: true } });
    const audit = comparePair(
      sshdPolicy("audit", "--openssh", "9.2", file),
      sshd ?? NODE_FLOOR,
      Math.ceil(runs / 3),
    );
    const audited = { what: `audit of ${lines} lines`, peer, ours: audit.ours, theirs: audit.peer };
    rows.push({ ...audited, unit: "ms", target: { none: true } });
  }
  const file = join(work, "lines-100000");
  const floor = await peakMemory(NODE_FLOOR);
  for (const command of ["check", "audit"]) {
    const ours = await peakMemory(sshdPolicy(command, "--openssh", "9.2", file));
    const what = `peak memory, ${command} of 100,000 lines`;
    rows.push({ what, peer: "node -e 0", ours, theirs: floor, unit: "MiB", target: { oursAtMost: 250 } });
  }
  return rows;
};
