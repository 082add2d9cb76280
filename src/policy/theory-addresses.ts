/**
 * The theory of addresses: is there an address that some lists match and others do not? Lists of networks and of text
 * patterns that are ranges are sets of numbers, and the answer is exact. Other text is followed through the printed
 * address (theory-address-text.ts). Three families: IPv4, IPv6, and link-local IPv6 with its zone, which no network matches.
 */
import { type AddressItem, parseAddress } from "../../grammar/addresses.ts";
import { type Family, LAST, listRanges, printAddress, SEEN } from "./address-sets.ts";
import { type Found, firstFound, found, NONE } from "./found.ts";
import { contains, intersect, type Ranges, subtract } from "./ranges.ts";
import { type AddressConstraint, findLoose } from "./theory-address-text.ts";
import { findZoned } from "./theory-address-zones.ts";
import type { Effort } from "./theory-names.ts";

/** An address to try first, and its number. */
export interface NiceAddress {
  readonly text: string;
  readonly family: Family;
  readonly value: bigint;
}

export function niceAddress(text: string): NiceAddress {
  const bytes = parseAddress(text)?.bytes ?? [];
  const value = bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  return { text, family: bytes.length === 4 ? 4 : 6, value };
}

export interface AddressDomain {
  /** tried first, in order */
  readonly nice: readonly NiceAddress[];
  /** only these, with zones under 6; default: all */
  readonly family?: Family;
  readonly effort: Effort;
}

export function findAddress(constraints: readonly AddressConstraint[], domain: AddressDomain): Found<string> {
  const { nice, family, effort } = domain;
  const first = nice.find((address) => family === undefined || address.family === family);
  if (constraints.some(leavesNothing)) return NONE;
  if (constraints.length === 0 && first !== undefined) return found(first.text);
  const v4 = (): Found<string> => findInFamily(constraints, 4, domain);
  if (family === 4) return v4();
  const v6 = [() => findInFamily(constraints, 6, domain), () => findZoned(constraints, effort)];
  return firstFound(...(family === 6 ? [] : [v4]), ...v6);
}

/** A list that matches every address, and must not. */
function leavesNothing({ items, met }: AddressConstraint): boolean {
  const isAll = (item: AddressItem): boolean => item.kind === "text" && /^\*+$/.test(item.pattern);
  return !met && items.some((item) => isAll(item)) && !items.some(({ negated }) => negated);
}

function findInFamily(
  constraints: readonly AddressConstraint[],
  family: Family,
  { nice, effort }: AddressDomain,
): Found<string> {
  let left: Ranges = SEEN[family];
  const loose: AddressConstraint[] = [];
  for (const constraint of [...constraints].sort((a, b) => Number(b.met) - Number(a.met))) {
    const ranges = listRanges(constraint.items, family);
    if (ranges === null) loose.push(constraint);
    else left = constraint.met ? intersect(left, ranges) : subtract(left, ranges);
    if (left.length === 0) return NONE;
  }
  const good = nice.filter((address) => address.family === family && contains(left, address.value));
  if (loose.length > 0)
    return findLoose({ constraints: loose, left, family, nice: good.map(({ text }) => text), effort });
  return found(good[0]?.text ?? printAddress(representative(left, family), family));
}

/** The first host of a network reads better than the network's own address. */
function representative(left: Ranges, family: Family): bigint {
  const { low, high } = left[0] ?? { low: 0n, high: LAST[family] };
  return low < high ? low + 1n : low;
}
