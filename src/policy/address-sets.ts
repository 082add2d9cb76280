/** Address lists as sets of numbers, as far as their text patterns are ranges (`10.1.*` is one, `10.*.5` is none). */
import type { AddressItem, Network } from "../../grammar/addresses.ts";
import { printIPv6 } from "../../grammar/print-address.ts";
import { type Range, type Ranges, subtract, unite } from "./ranges.ts";

export type Family = 4 | 6;

export const LAST: Readonly<Record<Family, bigint>> = {
  4: 0xffff_ffffn,
  6: 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffffn,
};

/** Real peers with mapped addresses are seen as IPv4; link-local ones carry a zone, so no plain address of theirs is seen. */
const NEVER_SEEN: Readonly<Record<Family, Ranges>> = {
  4: [],
  6: unite([
    { low: 0xffffn << 32n, high: (0xffffn << 32n) | 0xffff_ffffn },
    { low: 0xfe80n << 112n, high: (0xfec0n << 112n) - 1n },
  ]),
};

export const SEEN: Readonly<Record<Family, Ranges>> = {
  4: [{ low: 0n, high: LAST[4] }],
  6: subtract([{ low: 0n, high: LAST[6] }], NEVER_SEEN[6]),
};

function networkRange({ bytes, length }: Network): Range {
  const low = bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return { low, high: low | ((1n << BigInt(bytes.length * 8 - length)) - 1n) };
}

/** What one item matches: ranges, or "loose" for text that is none. */
export function itemRanges(item: AddressItem, family: Family): readonly Range[] | "loose" {
  switch (item.kind) {
    case "network":
      return item.network.bytes.length === (family === 4 ? 4 : 16) && item.network.scope === "0"
        ? [networkRange(item.network)]
        : [];
    case "text":
      return textRanges(item.pattern, family);
    case "invalid":
      return [];
  }
}

const remembered = new WeakMap<readonly AddressItem[], Record<Family, Ranges | null | undefined>>();

/** The addresses that a list matches; null where an item is loose. */
export function listRanges(items: readonly AddressItem[], family: Family): Ranges | null {
  const known = remembered.get(items) ?? { 4: undefined, 6: undefined };
  remembered.set(items, known);
  const ranges = known[family] === undefined ? computeRanges(items, family) : known[family];
  known[family] = ranges;
  return ranges;
}

function computeRanges(items: readonly AddressItem[], family: Family): Ranges | null {
  const matched: Range[] = [];
  const vetoed: Range[] = [];
  for (const item of items) {
    const ranges = itemRanges(item, family);
    if (ranges === "loose") return null;
    (item.negated ? vetoed : matched).push(...ranges);
  }
  return subtract(unite(matched), unite(vetoed));
}

const V4_PREFIX = /^((?:(?:0|[1-9]\d{0,2})\.){1,3})\*+$/;
const V4_WHOLE = /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/;
/** whole groups, and how the next one begins */
const V6_PREFIX = /^((?:[1-9a-f][0-9a-f]{0,3}:){0,7})([1-9a-f][0-9a-f]{0,3})?\*+$/;

function textRanges(pattern: string, family: Family): readonly Range[] | "loose" {
  if (EVERY[family].test(pattern)) return [{ low: 0n, high: LAST[family] }];
  return family === 4 ? textRangesV4(pattern) : textRangesV6(pattern);
}

/** What fits all printed addresses of a family. */
const EVERY: Readonly<Record<Family, RegExp>> = { 4: /^\*+(?:\.\*+){0,3}$/, 6: /^\*+(?::\*+)?$/ };

function textRangesV4(pattern: string): readonly Range[] | "loose" {
  if (/[^0-9.*?]/.test(pattern)) return [];
  if (V4_WHOLE.test(pattern)) return octetRange(pattern.split("."));
  const prefix = V4_PREFIX.exec(pattern)?.[1];
  if (prefix !== undefined) return octetRange(prefix.slice(0, -1).split("."));
  return isWild(pattern) ? "loose" : [];
}

function isWild(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

function octetRange(octets: readonly string[]): readonly Range[] {
  if (octets.some((octet) => Number(octet) > 255)) return [];
  const low = octets.reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
  const free = BigInt(32 - octets.length * 8);
  return [{ low: low << free, high: ((low + 1n) << free) - 1n }];
}

/** Only IPv4-mapped and -compatible addresses are printed with dots, and no peer has one. */
function textRangesV6(pattern: string): readonly Range[] | "loose" {
  if (/[^0-9a-f:*?]/.test(pattern)) return [];
  // the shortest address is `::`
  if (/^[^*]{1,2}$/.test(pattern)) return /^[?:]{2}$/.test(pattern) ? single(0n) : [];
  const [, whole = "", begun = ""] = V6_PREFIX.exec(pattern) ?? [];
  if (whole + begun === "") return isWild(pattern) ? "loose" : single(valueOfV6(pattern));
  const groups = whole.split(":").slice(0, -1);
  const before = groups.reduce((value, group) => (value << 16n) | BigInt(Number.parseInt(group, 16)), 0n);
  if (begun === "") return [spanned(before, before, 128 - groups.length * 16)];
  return groupsFrom(begun).map(({ low, high }) =>
    spanned((before << 16n) | low, (before << 16n) | high, 112 - groups.length * 16),
  );
}

/** Groups are printed without zeros in front: `d*` holds d, d0 to df, d00 to dff and d000 to dfff. */
function groupsFrom(begun: string): Range[] {
  const value = BigInt(Number.parseInt(begun, 16));
  return Array.from({ length: 5 - begun.length }, (_, more) => spanned(value, value, more * 4));
}

function spanned(low: bigint, high: bigint, free: number): Range {
  return { low: low << BigInt(free), high: ((high + 1n) << BigInt(free)) - 1n };
}

export function printAddress(value: bigint, family: Family): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
  return printV6(value);
}

function printV6(value: bigint): string {
  return printIPv6(
    Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - index * 16)) & 0xffffn)),
  );
}

/** The number of an address that is printed exactly like this, without dots and zone; null for any other text. */
export function valueOfV6(text: string): bigint | null {
  const halves = text.split("::");
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const count = groups.flat().length;
  if (halves.length > 2 || count > 8 || (halves.length === 1 && count !== 8)) return null;
  if (groups.flat().some((group) => !/^[0-9a-f]{1,4}$/.test(group))) return null;
  const [head = [], tail = []] = groups;
  const all = [...head, ...Array<string>(8 - count).fill("0"), ...tail];
  const value = all.reduce((number, group) => (number << 16n) | BigInt(`0x${group}`), 0n);
  return printV6(value) === text ? value : null;
}

function single(value: bigint | null): readonly Range[] {
  return value === null ? [] : [{ low: value, high: value }];
}
