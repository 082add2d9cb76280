/**
 * Which criteria of one attribute may hold together: a cheap filter in front of the search. It may say "perhaps" for two
 * that cannot, never the other way round.
 */
import type { Atom } from "./atoms.ts";
import { type Holding, isWild } from "./holding.ts";
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
        const [only] = names;
        if (names.length === 1 && only !== undefined) return holding.ofName(found.attribute, only);
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
