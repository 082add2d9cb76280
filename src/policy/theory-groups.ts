/**
 * The theory of groups: is there a set of group names that fits some group lists and misses others? A list is met when
 * one name hits it and no name hits a negated item (groupaccess.c); it is missed when no name hits it, or one vetoes it.
 */
import type { ListMatch, PatternItem } from "../../grammar/patterns.ts";
import { eachFound, type Found, found, mapFound, unlessMissed } from "./found.ts";
import { findName, type NameConstraint, type NameDomain } from "./theory-names.ts";

type Items = readonly PatternItem[];

const NO_HIT: readonly ListMatch[] = [-1, 0];
const NO_VETO: readonly ListMatch[] = [0, 1];

interface Lists {
  readonly met: readonly Items[];
  readonly missed: readonly Items[];
  readonly domain: NameDomain;
}

export function findGroups(
  met: readonly Items[],
  missed: readonly Items[],
  domain: NameDomain,
): Found<string[]> {
  if (met.length === 0) return found([]);
  const lists: Lists = { met, missed, domain };
  const plain = hitAll(lists, new Map());
  if (plain.kind === "found") return mapFound(plain, eachOnce);
  const { names, isSure } = possibleVetoes(lists);
  const helped = names.size === 0 ? plain : hitAll(lists, names);
  return mapFound(isSure ? helped : unlessMissed(helped), (hits) => eachOnce([...hits, ...names.values()]));
}

/** One name for each list that must be met; it may hit a missed list only where that list is vetoed. */
function hitAll(
  { met, missed, domain }: Lists,
  vetoed: ReadonlyMap<Items, string>,
): Found<readonly string[]> {
  const avoided = missed.filter((items) => !vetoed.has(items)).map(avoid);
  const hit = (items: Items): Found<string> => {
    const others = met.filter((other) => other !== items).map(spare);
    return findName([{ items, wanted: [1] }, ...others, ...avoided], domain);
  };
  return eachFound(met.map((items) => () => hit(items)));
}

function eachOnce(names: readonly string[]): string[] {
  return [...new Set(names)];
}

interface Vetoes {
  readonly names: ReadonlyMap<Items, string>;
  /** false: a name might have been missed within the effort limit */
  readonly isSure: boolean;
}

/**
 * All missed lists that can be vetoed at the same time: the largest set in which each has a name on a negated item that
 * hits no other list. Vetoing more only helps, so this set decides.
 */
function possibleVetoes({ met, missed, domain }: Lists): Vetoes {
  let candidates = missed.filter((items) => items.some(({ negated }) => negated));
  let isSure = true;
  for (;;) {
    const names = new Map<Items, string>();
    const avoided = missed.filter((items) => !candidates.includes(items)).map(avoid);
    for (const items of candidates) {
      const veto = findName([{ items, wanted: [-1] }, ...met.map(spare), ...avoided], domain);
      if (veto.kind === "found") names.set(items, veto.value);
      if (veto.kind === "unknown") isSure = false;
    }
    if (names.size === candidates.length) return { names, isSure };
    candidates = candidates.filter((items) => names.has(items));
  }
}

function avoid(items: Items): NameConstraint {
  return { items, wanted: NO_HIT };
}

function spare(items: Items): NameConstraint {
  return { items, wanted: NO_VETO };
}
