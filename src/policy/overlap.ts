/**
 * Which criteria of one attribute may hold together: a cheap filter in front of the search. It may say "perhaps" for two
 * that cannot, never the other way round.
 */
import type { Atom, Guard } from "./atoms.ts";
import { type Holding, isWild, push } from "./holding.ts";
import { type AddressIndex, indexAddresses } from "./network-index.ts";

export interface Overlaps {
  /** all criteria of the same attribute that may hold together with this one; null: perhaps any */
  of(atom: number): ReadonlySet<number> | null;
}

export function makeOverlaps(atoms: readonly Atom[], holding: Holding): Overlaps {
  const remembered = new Map<number, ReadonlySet<number> | null>();
  const networks = new Map<string, AddressIndex>();
  const networksOf = (attribute: "address" | "localaddress"): AddressIndex => {
    const known = networks.get(attribute) ?? indexAddresses(atoms, attribute);
    networks.set(attribute, known);
    return known;
  };
  const compute = (atom: number): ReadonlySet<number> | null => {
    const found = atoms[atom];
    switch (found?.attribute) {
      case "user":
      case "host": {
        const names = found.items.filter(({ negated }) => !negated).map(({ pattern }) => pattern);
        if (names.some(isWild)) return null;
        return new Set(names.flatMap((name) => [...holding.ofName(found.attribute, name)]));
      }
      case "localport":
        return holding.ofPort(found.port);
      case "address":
      case "localaddress":
        return networksOf(found.attribute).overlapping(atom);
      default:
        return null;
    }
  };
  return {
    of: (atom) => {
      const known = remembered.get(atom);
      if (known !== undefined) return known;
      const computed = compute(atom);
      remembered.set(atom, computed);
      return computed;
    },
  };
}

/** Guards in order, found by what they may have in common with given criteria. */
export interface GuardIndex {
  /** positions of the guards that may hold together with all of `met`, ascending */
  compatible(met: Iterable<number>): readonly number[];
}

export function indexGuards(
  guards: readonly Guard[],
  { list, overlaps }: { readonly list: readonly Atom[]; readonly overlaps: Overlaps },
): GuardIndex {
  const attributeOf = (atom: number): string => list[atom]?.attribute ?? "";
  const byAtom = new Map<number, number[]>();
  for (const [position, guard] of guards.entries()) for (const atom of guard) push(byAtom, atom, position);
  const all = guards.map((_, position) => position);
  const without = new Map<string, readonly number[]>();
  const withoutAttribute = (attribute: string): readonly number[] => {
    const known =
      without.get(attribute) ??
      all.filter((position) => !(guards[position] ?? []).some((atom) => attributeOf(atom) === attribute));
    without.set(attribute, known);
    return known;
  };
  return {
    compatible: (met) => {
      const limits = limitsOf(met, overlaps);
      const [narrowest] = [...limits].sort((a, b) => a[1].size - b[1].size);
      if (narrowest === undefined) return all;
      const positions = new Set(withoutAttribute(attributeOf(narrowest[0])));
      for (const atom of narrowest[1]) for (const position of byAtom.get(atom) ?? []) positions.add(position);
      return [...positions]
        .filter((position) => mayMeet(guards[position] ?? [], limits, attributeOf))
        .sort((a, b) => a - b);
    },
  };
}

type Limits = readonly (readonly [number, ReadonlySet<number>])[];

function limitsOf(met: Iterable<number>, overlaps: Overlaps): Limits {
  return [...met].flatMap((atom) => {
    const may = overlaps.of(atom);
    return may === null ? [] : [[atom, may] as const];
  });
}

function mayMeet(guard: Guard, limits: Limits, attributeOf: (atom: number) => string): boolean {
  return guard.every((atom) =>
    limits.every(([other, may]) => may.has(atom) || attributeOf(other) !== attributeOf(atom)),
  );
}

/** Guards that may hold together with all of `met`. */
export function compatibleGuards(
  guards: readonly Guard[],
  met: Iterable<number>,
  { list, overlaps }: { readonly list: readonly Atom[]; readonly overlaps: Overlaps },
): readonly Guard[] {
  if (guards.length >= WORTH_AN_INDEX) {
    const index = INDEXES.get(guards) ?? indexGuards(guards, { list, overlaps });
    INDEXES.set(guards, index);
    return index.compatible(met).map((position) => guards[position] ?? []);
  }
  const limits = limitsOf(met, overlaps);
  if (limits.length === 0) return guards;
  return guards.filter((guard) => mayMeet(guard, limits, (atom) => list[atom]?.attribute ?? ""));
}

/** "Everybody but those of 10,000 blocks" is asked about 10,000 times, once for each line of the next keyword. */
const WORTH_AN_INDEX = 100;
const INDEXES = new WeakMap<readonly Guard[], GuardIndex>();
