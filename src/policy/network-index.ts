/** Address lists that share an address, found by their networks: one holds the other, or they are apart. */
import type { Network } from "../../grammar/addresses.ts";
import type { Atom } from "./atoms.ts";
import { push } from "./holding.ts";
import type { Range } from "./ranges.ts";

export interface AddressIndex {
  /** lists that may hold together with this one; null: perhaps any */
  overlapping(atom: number): ReadonlySet<number> | null;
}

interface Entry extends Range {
  readonly atom: number;
}

/** IPv4 lies behind all of IPv6 on one line of numbers. */
const V4_BASE = 1n << 130n;

export function networkRange({ bytes, length }: Network): Range {
  const low = bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return { low, high: low | ((1n << BigInt(bytes.length * 8 - length)) - 1n) };
}

function onOneLine(network: Network): Range {
  const { low, high } = networkRange(network);
  const base = network.bytes.length === 4 ? V4_BASE : 0n;
  return { low: base + low, high: base + high };
}

export function indexAddresses(atoms: readonly Atom[], attribute: "address" | "localaddress"): AddressIndex {
  const entries: Entry[] = [];
  const texts: number[] = [];
  const byRange = new Map<string, number[]>();
  for (const [atom, found] of atoms.entries()) {
    if (found.attribute !== attribute) continue;
    const networks = networksOf(found);
    if (networks === null) texts.push(atom);
    for (const network of networks ?? []) {
      const entry = { atom, ...onOneLine(network) };
      entries.push(entry);
      const key = rangeKey(entry);
      push(byRange, key, atom);
    }
  }
  entries.sort((a, b) => (a.low < b.low ? -1 : Number(a.low > b.low)));
  const lengths = new Set(entries.map(({ low, high }) => high - low + 1n));
  return {
    overlapping: (atom) => {
      const found = atoms[atom];
      const networks = found === undefined ? null : networksOf(found);
      if (networks === null) return null;
      const overlapping = new Set<number>([atom, ...texts]);
      for (const network of networks) {
        const range = onOneLine(network);
        for (const other of inside(entries, range)) overlapping.add(other);
        for (const other of around(byRange, lengths, range)) overlapping.add(other);
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

function rangeKey({ low, high }: Range): string {
  return `${low}-${high}`;
}

function inside(entries: readonly Entry[], { low, high }: Range): number[] {
  let start = 0;
  let end = entries.length;
  while (start < end) {
    const middle = (start + end) >> 1;
    if ((entries[middle]?.low ?? low) < low) start = middle + 1;
    else end = middle;
  }
  const found: number[] = [];
  for (let at = start; ; at++) {
    const entry = entries[at];
    if (entry === undefined || entry.low > high) return found;
    found.push(entry.atom);
  }
}

/** Networks are powers of two at multiples of themselves, so the one of each size around a range is known. */
function around(
  byRange: ReadonlyMap<string, readonly number[]>,
  lengths: ReadonlySet<bigint>,
  { low, high }: Range,
): number[] {
  return [...lengths].flatMap((length) => {
    if (length < high - low + 1n) return [];
    const start = low & ~(length - 1n);
    return byRange.get(rangeKey({ low: start, high: start + length - 1n })) ?? [];
  });
}
