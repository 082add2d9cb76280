/** The policy file before the policy: what rules need of it. */
import type { Config } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import type { Answer, Exposure } from "../policy/answer.ts";
import type { Excess } from "../policy/excess.ts";
import type { ExposureOptions } from "../policy/exposure.ts";
import { compareWithIntent } from "../policy/intended.ts";
import type { Loss } from "../policy/losses.ts";
import type { Intent, IntentEntry } from "./intent.ts";

export interface Intended {
  readonly path: string;
  /** the file says what is allowed, so everything else is not */
  readonly isComplete: boolean;
  /** all that is open and closed */
  readonly everything: Exposure;
  /** of the open answers only those of which nothing is wanted */
  readonly unwanted: Exposure;
  /** what is open beyond an entry that allows a part of it */
  readonly beyond: readonly Excess[];
  readonly losses: readonly (Loss & { readonly entry: IntentEntry })[];
  /** entries whose last day is over; they count no more */
  readonly expired: readonly IntentEntry[];
  /** entries that allow what is not open */
  readonly unused: readonly IntentEntry[];
}

export interface IntentWorld extends Pick<ExposureOptions, "unprivilegedPortStart"> {
  readonly accounts: readonly Account[] | null;
  /** ISO date: what ended before it is over */
  readonly today: string;
}

export function compareIntent(config: Config, intent: Intent, { today, ...world }: IntentWorld): Intended {
  const isOver = ({ until }: IntentEntry): boolean => until !== null && until < today;
  const allowed = (intent.allow ?? []).filter((entry) => !isOver(entry));
  const kept = intent.keep.filter((entry) => !isOver(entry));
  const byGrant = new Map([...allowed, ...kept].map((entry) => [entry.grant, entry]));
  const { exposure, excess, losses, used } = compareWithIntent(
    config,
    { allowed: allowed.map(({ grant }) => grant), kept: kept.map(({ grant }) => grant) },
    world,
  );
  return {
    path: intent.path,
    isComplete: intent.allow !== null,
    everything: exposure,
    unwanted: { ...exposure, answers: unwantedOf(exposure, excess) },
    beyond: excess.filter(({ partly }) => partly),
    losses: losses.flatMap((loss) => {
      const entry = byGrant.get(loss.grant);
      return entry === undefined ? [] : [{ ...loss, entry }];
    }),
    expired: [...(intent.allow ?? []), ...intent.keep].filter(isOver),
    unused: allowed.filter(({ grant }) => !used.has(grant)),
  };
}

function unwantedOf({ answers }: Exposure, excess: readonly Excess[]): readonly Answer[] {
  const whole = new Set(excess.filter(({ partly }) => !partly).map((found) => found.of));
  return answers.filter((answer) => answer.allowed === false || whole.has(answer));
}
