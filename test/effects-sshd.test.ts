/** What `audit --fix`, `compare` and policy files say of random trees, before the machine's sshd; and seeded faults, which must show. */
import { describe, expect, it } from "vitest";
import type { Plan } from "../src/fix/plan.ts";
import type { Intended } from "../src/lint/intended.ts";
import type { Comparison, PolicyChange } from "../src/policy/compare.ts";
import { type CampaignResult, type Judge, runCampaign } from "./fuzz/campaign.ts";
import { judgeComparison } from "./fuzz/compare.ts";
import { judgeFixes } from "./fuzz/fixes.ts";
import { generateCase } from "./fuzz/generate.ts";
import { judgeIntents } from "./fuzz/intents.ts";
import { OURS, type Reading } from "./fuzz/judge.ts";
import { makeRandom } from "./fuzz/random.ts";
import { corpusFiles } from "./sshd/corpus.ts";
import type { Sshd } from "./sshd/driver.ts";
import { describeWithSshd } from "./sshd/sharing.ts";

const TREES = 15;
const SEED = 79;
/** A fault must show in so many. */
const MOST_TREES = 100;

const seeds = corpusFiles("files").map(({ text }) => text);

function campaign(sshd: Sshd, judge: Judge): Promise<CampaignResult> {
  const endless = { pairs: Number.POSITIVE_INFINITY, milliseconds: Number.POSITIVE_INFINITY };
  return runCampaign(sshd, { ...endless, seed: SEED, trees: TREES, mostFound: 3, seeds, judge });
}

/** Of the same kind of trees; what is found is not shrunk. */
async function isFound(sshd: Sshd, judge: Judge, fault: Partial<Reading>): Promise<boolean> {
  for (let number = 0; number < MOST_TREES; number++) {
    const drawn = generateCase({ release: sshd.release, seeds }, makeRandom(SEED * 1000 + number));
    const { differences } = await judge(sshd, drawn, { ...OURS, ...fault });
    if (differences.length > 0) return true;
  }
  return false;
}

function rewritten(change: (text: string) => string): Reading["fix"] {
  return (request) => {
    const plan = OURS.fix(request);
    return { ...plan, files: plan.files.map((file) => ({ ...file, after: change(file.after) })) };
  };
}

const compared =
  (change: (changes: readonly PolicyChange[]) => readonly PolicyChange[]): Reading["compare"] =>
  (before, after): Comparison => {
    const comparison = OURS.compare(before, after);
    return { ...comparison, changes: change(comparison.changes) };
  };

const isGain = ({ change }: PolicyChange): boolean => change === "gained";

const opposite = (one: PolicyChange): PolicyChange => ({
  ...one,
  change: one.change === "gained" ? "lost" : "gained",
});

const NOTHING: Intended["unwanted"] = { answers: [], ended: [], complete: true, limits: [], assumptions: [] };

function wanting(fault: Partial<Intended>): Reading["intended"] {
  return (config, intent) => ({ ...OURS.intended(config, intent), ...fault });
}

interface Campaign {
  readonly name: string;
  readonly judge: Judge;
  readonly faults: readonly (readonly [string, Partial<Reading>])[];
}

const CAMPAIGNS: readonly Campaign[] = [
  {
    name: "fixes",
    judge: judgeFixes,
    faults: [
      ["writes nothing", { fix: (request): Plan => ({ ...OURS.fix(request), files: [] }) }],
      ["writes a line too many", { fix: rewritten((text) => `LoginGraceTime 17\n${text}`) }],
      ["writes what sshd refuses", { fix: rewritten((text) => `${text}\nMatch none\n`) }],
    ],
  },
  {
    name: "comparisons",
    judge: judgeComparison,
    faults: [
      ["says equal", { compare: compared(() => []) }],
      ["takes gains for losses", { compare: compared((changes) => changes.map(opposite)) }],
      ["tells no loss", { compare: compared((changes) => changes.filter(isGain)) }],
    ],
  },
  {
    name: "policy files",
    judge: judgeIntents,
    faults: [
      ["reports no excess", { intended: wanting({ unwanted: NOTHING, beyond: [] }) }],
      ["reports no loss", { intended: wanting({ losses: [] }) }],
      [
        "knows no entry",
        { intended: (config, intent) => OURS.intended(config, { ...intent, allow: [], keep: [] }) },
      ],
    ],
  },
];

await describeWithSshd({}, "effects", (sshd) => {
  describe.each(CAMPAIGNS)("$name", ({ judge, faults }) => {
    it(`of ${TREES} random trees are what sshd makes of them (seed ${SEED})`, async () => {
      const { differences, pairs, unknown } = await campaign(sshd, judge);
      expect(differences).toEqual([]);
      expect(pairs).toBeGreaterThan(TREES * 8);
      expect(unknown).toBeLessThan(TREES / 4);
    }, 600_000);

    it.each(faults)(
      "a seeded fault is found: one that %s",
      async (_name, fault) => {
        expect(await isFound(sshd, judge, fault)).toBe(true);
      },
      600_000,
    );
  });
});
