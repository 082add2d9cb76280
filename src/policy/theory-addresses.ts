/**
 * The theory of addresses: is there an address that some lists match and others do not? Lists of networks and of text
 * patterns that are ranges are sets of numbers, and the answer is exact. Other text is followed through the printed
 * address (theory-address-text.ts). Three families: IPv4, IPv6, and link-local IPv6 with its zone, which no network matches.
 */
import { type AddressItem, parseAddress } from "../../grammar/addresses.ts";
import { type Family, LAST, listRanges, printAddress, SEEN } from "./address-sets.ts";
import { contains, intersect, type Ranges, subtract } from "./ranges.ts";
import { type AddressConstraint, findLoose, findZonedText, fits, ZONED } from "./theory-address-text.ts";
import type { Found } from "./theory-names.ts";

/** An address to try first, and its number. */
interface NiceAddress {
  readonly text: string;
  readonly family: Family;
  readonly value: bigint;
}

export function niceAddress(text: string): NiceAddress {
  const bytes = parseAddress(text)?.bytes ?? [];
  const value = bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  return { text, family: bytes.length === 4 ? 4 : 6, value };
}

export function findAddress(
  constraints: readonly AddressConstraint[],
  nice: readonly NiceAddress[],
): Found<string> {
  const first = nice[0];
  if (constraints.some(leavesNothing)) return { kind: "none" };
  if (constraints.length === 0 && first !== undefined) return { kind: "found", value: first.text };
  const v4 = findInFamily(constraints, 4, nice);
  if (v4.kind === "found") return v4;
  const v6 = findInFamily(constraints, 6, nice);
  if (v6.kind === "found") return v6;
  const zoned = findZoned(constraints);
  if (zoned.kind !== "none") return zoned;
  return v4.kind === "unknown" || v6.kind === "unknown" ? { kind: "unknown" } : { kind: "none" };
}

/** A list that matches every address, and must not. */
function leavesNothing({ items, met }: AddressConstraint): boolean {
  const isAll = (item: AddressItem): boolean => item.kind === "text" && /^\*+$/.test(item.pattern);
  return !met && items.some((item) => isAll(item)) && !items.some(({ negated }) => negated);
}

function findInFamily(
  constraints: readonly AddressConstraint[],
  family: Family,
  nice: readonly NiceAddress[],
): Found<string> {
  let left: Ranges = SEEN[family];
  const loose: AddressConstraint[] = [];
  for (const constraint of [...constraints].sort((a, b) => Number(b.met) - Number(a.met))) {
    const ranges = listRanges(constraint.items, family);
    if (ranges === null) loose.push(constraint);
    else left = constraint.met ? intersect(left, ranges) : subtract(left, ranges);
    if (left.length === 0) return { kind: "none" };
  }
  const good = nice.filter((address) => address.family === family && contains(left, address.value));
  if (loose.length > 0)
    return findLoose({ constraints: loose, left, family, nice: good.map(({ text }) => text) });
  return { kind: "found", value: good[0]?.text ?? printAddress(representative(left, family), family) };
}

/** The first host of a network reads better than the network's own address. */
function representative(left: Ranges, family: Family): bigint {
  const { low, high } = left[0] ?? { low: 0n, high: LAST[family] };
  return low < high ? low + 1n : low;
}

/** Link-local peers (`fe80::1%eth0`): without a zone or loose text in the lists, all of them are alike. */
function findZoned(constraints: readonly AddressConstraint[]): Found<string> {
  if (constraints.some(excludesZoned)) return { kind: "none" };
  if (constraints.some(({ items }) => items.some(tellsZonesApart))) return findZonedText(constraints);
  const found = ZONED.find((text) => fits(text, constraints));
  return found === undefined ? { kind: "none" } : { kind: "found", value: found };
}

/** A list that must match, and none of its items can. */
function excludesZoned({ items, met }: AddressConstraint): boolean {
  return met && items.every((item) => item.negated || !mayBeZoned(item));
}

function mayBeZoned(item: AddressItem): boolean {
  if (item.kind === "network") return item.network.scope !== "0";
  return item.kind === "text" && beginsZoned(item.pattern);
}

function tellsZonesApart(item: AddressItem): boolean {
  if (item.kind === "network") return item.network.scope !== "0";
  if (item.kind === "invalid" || /^\*+$/.test(item.pattern)) return false;
  // `*.example.net` might name a zone only in theory: interfaces are called as in ZONED
  if (/^[*?]/.test(item.pattern) && !item.pattern.includes("%")) return false;
  return beginsZoned(item.pattern);
}

/** fe80::/10, as it is printed */
const ZONED_START = ["f", "e", "89ab"] as const;

function beginsZoned(pattern: string): boolean {
  for (const [index, letters] of ZONED_START.entries()) {
    const letter = pattern[index];
    if (letter === "*") return true;
    if (letter === undefined || (letter !== "?" && !letters.includes(letter))) return false;
  }
  return true;
}
