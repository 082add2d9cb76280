/**
 * The policy against what is wanted, in both directions: what is open beyond all grants, and what a grant needs and the
 * policy does not give. Sets are compared inside one search, so that the answers are complete, each with a witness.
 */
import type { Config } from "../config/config.ts";
import type { Exposure } from "./answer.ts";
import { CAPABILITIES } from "./connection.ts";
import { type Excess, excessOf, type Placed } from "./excess.ts";
import { type ExposureOptions, startAsking, toAnswer, toExposure } from "./exposure.ts";
import type { Grant } from "./grant.ts";
import { hostedItems, namedPeople } from "./kept-logins.ts";
import { rootUsers } from "./kept-ports.ts";
import { type Loss, lossesOf } from "./losses.ts";
import { regionsOf } from "./regions.ts";

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
  const grants = [...allowed, ...kept];
  const lists = hostedItems(config);
  const roots = kept.some(({ listen }) => listen !== null) ? [rootUsers(options.accounts ?? null)] : [];
  const sets = [grants.map(({ criteria }) => criteria), roots, ...lists, ...kept.map(namedPeople)];
  const asking = startAsking(config, { ...options, sets: sets.flat() });
  const [guards = [], ...rest] = inGroups(asking.reasoning.searcher.atoms.sets, sets);
  const named = rest.map((group) => group.filter((guard) => guard !== null));
  const [root = [], ...logins] = named;
  const [hosted, people] = [logins.slice(0, lists.length), logins.slice(lists.length)];
  const places = grants.map((grant, index): Placed => ({ grant, guard: guards[index] ?? null }));
  const used = new Set<Grant>();
  const excess: Excess[] = [];
  const answers = CAPABILITIES.flatMap((capability) =>
    regionsOf(asking.reasoning, capability).map((region) => {
      const answer = toAnswer(asking, capability, region);
      if (answer.allowed !== false) excess.push(...excessOf(asking, { region, answer }, { places, used }));
      return answer;
    }),
  );
  const losses = places
    .slice(allowed.length)
    .flatMap((placed, index) => lossesOf(asking, placed, { people: people[index] ?? [], hosted, root }));
  return { exposure: toExposure(asking, answers, options), excess, losses, used };
}

/** `all` in pieces as long as those of `like`. */
function inGroups<T>(all: readonly T[], like: readonly (readonly unknown[])[]): readonly (readonly T[])[] {
  let start = 0;
  return like.map(({ length }) => {
    start += length;
    return all.slice(start - length, start);
  });
}
