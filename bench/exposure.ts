/** Who can forward, for all connections, in large policies. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { NODE_FLOOR, sshdPolicy, sshdTest } from "./commands.ts";
import type { Bench } from "./main.ts";
import { comparePair, cpuOf } from "./measure.ts";
import type { Row, Target } from "./table.ts";
import { makeNumbers, mixedBlocks, puzzle, userBlocks, wildcardBlocks } from "./texts.ts";

const CONNECTION = "user=user7,host=10.1.2.3,addr=10.1.2.3,laddr=192.0.2.1,lport=22";

export const exposure: Bench = ({ work, runs, scale }) => {
  const times = Math.ceil(runs / 3);
  const blocks = (number: number): number => Math.max(3, Math.round(number * scale));
  const rows: Row[] = [];
  const measured = (what: string, text: string, target: Target, ...args: readonly string[]): void => {
    const file = join(work, "sshd_config");
    writeFileSync(file, text);
    const ours = sshdPolicy("exposure", "--openssh", "9.2", "--format", "json", ...args, file);
    const exits = what.startsWith("hostile") ? [3] : [0];
    const pair = comparePair({ ...ours, exits }, NODE_FLOOR, times);
    const sshd = sshdTest(work, file, "-C", CONNECTION);
    rows.push({
      ...{ what, peer: "node -e 0", ours: pair.ours, theirs: pair.peer, unit: "ms", target },
      ...(sshd === null ? {} : { note: `sshd -T -C, one connection: ${cpuOf(sshd).toFixed(0)} ms` }),
    });
  };
  measured("1,000 mixed blocks", mixedBlocks(blocks(1000), 1), { oursAtMost: 500 });
  measured("1,000 other mixed blocks", mixedBlocks(blocks(1000), 2), { oursAtMost: 500 });
  measured("10,000 mixed blocks", mixedBlocks(blocks(10_000), 3), { oursAtMost: 3000 });
  measured("10,000 blocks on users", userBlocks(blocks(10_000)), { oursAtMost: 1000 });
  measured("1,000 blocks with wildcards", wildcardBlocks(blocks(1000), 4), { oursAtMost: 1000 });
  const accounts = join(work, "passwd");
  writeFileSync(accounts, passwd(blocks(5000)));
  const groups = join(work, "group");
  writeFileSync(groups, groupFile());
  measured(
    "1,000 mixed blocks, 5,000 accounts",
    mixedBlocks(blocks(1000), 1),
    { none: true },
    "--accounts",
    accounts,
    "--accounts",
    groups,
  );
  measured('hostile: ends in "unknown"', puzzle(16), { oursAtMost: 10_000 });
  return rows;
};

const GROUPS = 50;

function groupFile(): string {
  return Array.from({ length: GROUPS }, (_, number) => `group${number}:x:${100 + number}:\n`).join("");
}

function passwd(users: number): string {
  const below = makeNumbers(5);
  return Array.from(
    { length: users },
    (_, number) => `user${number}:x:${1000 + number}:${100 + below(GROUPS)}::/home/user${number}:/bin/sh\n`,
  ).join("");
}
