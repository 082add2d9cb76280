/** Random cases against one sshd until a number of pairs or the time is used up. */
import type { Sshd } from "../sshd/driver.ts";
import { type DrawnCase, generateCase } from "./generate.ts";
import { type Difference, type Judgement, judge, OURS, type Reading } from "./judge.ts";
import { makeRandom, type Random } from "./random.ts";
import { shrink } from "./shrink.ts";

/** Compares one case with sshd. */
export type Judge = (sshd: Sshd, fuzzCase: DrawnCase, reading: Reading) => Promise<Judgement>;

export interface Campaign {
  readonly seed: number;
  /** stop after so many pairs */
  readonly pairs: number;
  /** stop after so many trees that sshd accepts; default: never */
  readonly trees?: number;
  /** stop after so many milliseconds; Infinity: never */
  readonly milliseconds: number;
  /** stop after so many different cases that differ */
  readonly mostFound: number;
  /** texts of real files to change; may be empty */
  readonly seeds: readonly string[];
  /** default: trees of all kinds */
  readonly generate?: (random: Random) => DrawnCase;
  readonly reading?: Reading;
  /** default: what sshd accepts, prints and complains of */
  readonly judge?: Judge;
  readonly found?: (difference: Difference) => void;
  /** told the number of pairs after each tree */
  readonly progress?: (pairs: number) => void;
}

export interface CampaignResult {
  readonly pairs: number;
  readonly trees: number;
  readonly accepted: number;
  /** regions without a witness */
  readonly unknown: number;
  /** trees with any difference */
  readonly differing: number;
  /** shrunk, one of each kind */
  readonly differences: readonly Difference[];
}

export async function runCampaign(sshd: Sshd, campaign: Campaign): Promise<CampaignResult> {
  const reading = campaign.reading ?? OURS;
  const judgeCase = campaign.judge ?? judge;
  const mostTrees = campaign.trees ?? Number.POSITIVE_INFINITY;
  const until = Date.now() + campaign.milliseconds;
  const differences: Difference[] = [];
  const seen: Difference[] = [];
  let [pairs, trees, accepted, unknown, differing] = [0, 0, 0, 0, 0];
  while (
    pairs < campaign.pairs &&
    accepted < mostTrees &&
    Date.now() < until &&
    differences.length < campaign.mostFound
  ) {
    const fuzzCase = caseOf(sshd, campaign, trees);
    const judgement = await judgeCase(sshd, fuzzCase, reading);
    trees += 1;
    pairs += judgement.pairs;
    unknown += judgement.unknown;
    campaign.progress?.(pairs);
    if (judgement.accepted) accepted += 1;
    if (judgement.differences.length > 0) differing += 1;
    const first = judgement.differences.find((difference) => isNew(difference, seen));
    if (first === undefined) continue;
    seen.push(first);
    const small = await shrink(first, (smaller) => judgeCase(sshd, { ...fuzzCase, ...smaller }, reading));
    if (differences.some((known) => isAlike(known, small))) continue;
    differences.push(small);
    campaign.found?.(small);
  }
  return { pairs, trees, accepted, unknown, differing, differences };
}

/** Each case has its own generator, so that a single one can be made again. */
function caseOf(sshd: Sshd, { seed, seeds, generate }: Campaign, number: number): DrawnCase {
  const random = makeRandom(Math.imul(seed, 1_000_003) + number);
  return generate?.(random) ?? generateCase({ release: sshd.release, seeds }, random);
}

/** Shrinking costs hundreds of runs: each kind is shrunk once, each keyword three times. */
function isNew(difference: Difference, seen: readonly Difference[]): boolean {
  if (seen.some((known) => isAlike(known, difference))) return false;
  const isKeyword = difference.what !== "verdict" && difference.what !== "answer";
  return !isKeyword || seen.filter(({ what }) => what === difference.what).length < 3;
}

function isAlike(a: Difference, b: Difference): boolean {
  return a.what === b.what && shape(a.ours) === shape(b.ours) && shape(a.sshd) === shape(b.sshd);
}

/** Numbers and quoted words aside, so that one defect is not told a hundred times. */
function shape(text: string): string {
  return text.replace(/"[^"]*"|'[^']*'|[0-9]+/g, "_").slice(0, 60);
}
