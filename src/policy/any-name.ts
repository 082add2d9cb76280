/** A client whose name only the server knows (UseDNS): which predictions do not hold whatever it is. */
import type { Config } from "../config/config.ts";
import type { Answer } from "./answer.ts";
import type { ProbePlace } from "./attempt.ts";
import { planAttempts } from "./attempts.ts";
import { CAPABILITIES, type Capability, type Connection } from "./connection.ts";
import { usesDns } from "./reasoning.ts";
import { findName, fullEffort, type NameConstraint } from "./theory-names.ts";
import { HOSTS } from "./worlds.ts";

/** Ours: ways in which the lists of Match Host can hold together; real files have a few. */
const MOST_WAYS = 100;

/**
 * Capabilities whose attempts would be others, or have other outcomes, under some name; all of them where there are too
 * many names to look at. `placeAgain` must give the same ports each time.
 */
export function dependingOnName(
  config: Config,
  answers: readonly Answer[],
  connection: Connection,
  placeAgain: () => ProbePlace,
): ReadonlySet<Capability> {
  const names = usesDns(config) ? namesOf(config) : [];
  if (names === null) return new Set(CAPABILITIES);
  const plans = [connection.host, ...names].map((host) =>
    planAttempts(config, answers, { ...connection, host }, placeAgain()),
  );
  const isSame = (capability: Capability): boolean => {
    const texts = plans.map((plan) => JSON.stringify(plan?.filter((one) => one.capability === capability)));
    return new Set(texts).size === 1;
  };
  return new Set(CAPABILITIES.filter((capability) => !isSame(capability)));
}

/** One name for each set of Match Host lists that hold together: nothing else of a name counts. Null: not all were found. */
function namesOf(config: Config): readonly string[] | null {
  const domain = { ...HOSTS, effort: fullEffort() };
  let ways: readonly Way[] = [{ name: "", lists: [] }];
  for (const items of hostLists(config)) {
    const tried = ways.flatMap(({ lists }) =>
      WANTED.map((wanted) => {
        const all = [...lists, { items, wanted }];
        return { lists: all, found: findName(all, domain) };
      }),
    );
    if (tried.some(({ found }) => found.kind === "unknown")) return null;
    ways = tried.flatMap(({ lists, found }) =>
      found.kind === "found" ? [{ name: found.value, lists }] : [],
    );
    if (ways.length > MOST_WAYS) return null;
  }
  return ways.map(({ name }) => name).filter((name) => name !== "");
}

interface Way {
  readonly name: string;
  readonly lists: readonly NameConstraint[];
}

/** Held, and not held. */
const WANTED: readonly NameConstraint["wanted"][] = [[1], [-1, 0]];

/** Each once, however many blocks have it. */
function hostLists({ matches }: Config): Iterable<NameConstraint["items"]> {
  const lists = new Map<string, NameConstraint["items"]>();
  for (const { criteria } of matches)
    for (const criterion of criteria)
      if (criterion.attribute === "host") lists.set(JSON.stringify(criterion.items), criterion.items);
  return lists.values();
}
