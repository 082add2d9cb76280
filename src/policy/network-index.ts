/** Address lists that share an address, found by their networks: one holds the other, or they are apart. */
import type { Network } from "../../grammar/addresses.ts";
import type { Atom } from "./atoms.ts";
import { push } from "./holding.ts";
import { networkBits } from "./network-bits.ts";

export interface AddressIndex {
  /** lists that may hold together with this one; null: perhaps any */
  overlapping(atom: number): ReadonlySet<number> | null;
}

export function indexAddresses(atoms: readonly Atom[], attribute: "address" | "localaddress"): AddressIndex {
  const texts: number[] = [];
  const byBits = new Map<string, number[]>();
  for (const [atom, found] of atoms.entries()) {
    if (found.attribute !== attribute) continue;
    const networks = networksOf(found);
    if (networks === null) texts.push(atom);
    for (const network of networks ?? []) push(byBits, networkBits(network), atom);
  }
  const sorted = [...byBits.keys()].sort();
  const lengths = [...new Set(sorted.map((bits) => bits.length))];
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  return {
    overlapping: (atom) => {
      const found = atoms[atom];
      const networks = found === undefined ? null : networksOf(found);
      if (networks === null) return null;
      const overlapping = new Set<number>([atom, ...texts]);
      const add = (bits: string): void => {
        for (const other of byBits.get(bits) ?? []) overlapping.add(other);
      };
      for (const network of networks) {
        const bits = networkBits(network);
        for (const length of lengths) if (length <= bits.length) add(bits.slice(0, length));
        if (bits.length < longest) for (const inner of beginningWith(sorted, bits)) add(inner);
      }
      return overlapping;
    },
  };
}

/** Null: an item is text or has a zone. */
function networksOf(atom: Atom): readonly Network[] | null {
  if (atom.attribute !== "address" && atom.attribute !== "localaddress") return null;
  const networks: Network[] = [];
  for (const item of atom.items) {
    if (item.negated) continue;
    if (item.kind !== "network" || item.network.scope !== "0") return null;
    networks.push(item.network);
  }
  return networks;
}

function beginningWith(sorted: readonly string[], start: string): string[] {
  let from = 0;
  let end = sorted.length;
  while (from < end) {
    const middle = (from + end) >> 1;
    if ((sorted[middle] ?? start) < start) from = middle + 1;
    else end = middle;
  }
  const found: string[] = [];
  for (let at = from; sorted[at]?.startsWith(start) === true; at++) found.push(sorted[at] ?? "");
  return found;
}
