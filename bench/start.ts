/** What a user waits for: one stock file audited, and fixed. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { NODE_FLOOR, STOCK_FILE, sshdPolicy } from "./commands.ts";
import type { Bench } from "./main.ts";
import { comparePair } from "./measure.ts";

export const start: Bench = ({ work, runs }) => {
  const file = join(work, "sshd_config");
  copyFileSync(STOCK_FILE, file);
  const audit = comparePair(sshdPolicy("audit", file), NODE_FLOOR, runs * 2);
  const given = comparePair(sshdPolicy("audit", "--openssh", "9.2", file), NODE_FLOOR, runs * 2);
  const diff = comparePair(sshdPolicy("audit", "--fix", "--diff", file), NODE_FLOOR, runs);
  // what is fixed already is audited only: each run gets the stock file again
  const write = {
    argv: [
      "sh",
      "-c",
      'cp "$1" "$2" && shift 2 && exec "$@"',
      "sh",
      STOCK_FILE,
      file,
      ...sshdPolicy("audit", "--fix", file).argv,
    ],
  };
  const fixed = comparePair(write, NODE_FLOOR, runs);
  const exposed = comparePair(sshdPolicy("exposure", file), NODE_FLOOR, runs);
  const floor = { peer: "node -e 0", unit: "ms" } as const;
  return [
    { what: "audit of Debian's stock file", ...floor, ...named(audit), target: { ratioAtMost: 2.2 } },
    { what: "the same, --openssh given", ...floor, ...named(given), target: { ratioAtMost: 2.2 } },
    { what: "exposure of the same file", ...floor, ...named(exposed), target: { none: true } },
    { what: "edit and proof: audit --fix --diff", ...floor, ...named(diff), target: { ratioAtMost: 3.5 } },
    { what: "edit, proof and write: audit --fix", ...floor, ...named(fixed), target: { ratioAtMost: 3.5 } },
  ];
};

function named({ ours, peer }: { ours: number; peer: number }): { ours: number; theirs: number } {
  return { ours, theirs: peer };
}
