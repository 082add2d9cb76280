/**
 * The policy against what is wanted, in both directions: what is open beyond all grants, and what a grant needs and the
 * policy does not give. Sets are compared inside one search, so that the answers are complete, each with a witness.
 */
import type { Config, Criterion } from "../config/config.ts";
import type { Exposure } from "./answer.ts";
import type { Guard } from "./atoms.ts";
import { CAPABILITIES } from "./connection.ts";
import { type Excess, excessOf, type Placed } from "./excess.ts";
import { type ExposureOptions, endedFrom, startAsking, toAnswer, toExposure } from "./exposure.ts";
import type { Grant } from "./grant.ts";
import { namedPeople } from "./kept-logins.ts";
import { rootUsers } from "./kept-ports.ts";
import { type Loss, lossesOf } from "./losses.ts";
import { everywhere, regionsOf } from "./regions.ts";

export interface Wanted {
  /** what may be open */
  readonly allowed: readonly Grant[];
  /** what must be open; it may be, too */
  readonly kept: readonly Grant[];
}

export interface IntentAnswer {
  readonly exposure: Exposure;
  readonly excess: readonly Excess[];
  readonly losses: readonly Loss[];
  /** grants under which something is open */
  readonly used: ReadonlySet<Grant>;
}

export function compareWithIntent(
  config: Config,
  { allowed, kept }: Wanted,
  options: ExposureOptions = {},
): IntentAnswer {
  const keeping = kept.map((grant) => ({ grant, people: namedPeople(grant) }));
  const root = kept.some(({ listen }) => listen !== null) ? [rootUsers(options.accounts ?? null)] : [];
  const criteria = [...allowed, ...kept].map((grant) => grant.criteria);
  const sets = [...criteria, ...root, ...keeping.flatMap(({ people }) => people)];
  const asking = startAsking(config, { ...options, sets });
  const guardOf = (set: readonly Criterion[]): Guard | null =>
    asking.reasoning.searcher.atoms.guardOfSet(set);
  const guardsOf = (all: readonly (readonly Criterion[])[]): readonly Guard[] =>
    all.flatMap((set) => {
      const guard = guardOf(set);
      return guard === null ? [] : [guard];
    });
  const placed = (grant: Grant): Placed => ({ grant, guard: guardOf(grant.criteria) });
  const places = [...allowed, ...kept].map(placed);
  const used = new Set<Grant>();
  const excess: Excess[] = [];
  const answers = CAPABILITIES.flatMap((capability) =>
    regionsOf(asking.reasoning, capability).map((region) => {
      const answer = toAnswer(asking, capability, region);
      if (answer.allowed !== false) excess.push(...excessOf(asking, { region, answer }, { places, used }));
      return answer;
    }),
  );
  const losses = keeping.flatMap(({ grant, people }) =>
    lossesOf(asking, placed(grant), { people: guardsOf(people), root: guardsOf(root) }),
  );
  const ended = endedFrom(asking, everywhere(asking.reasoning));
  return { exposure: toExposure(asking, { answers, ended }, options), excess, losses, used };
}
