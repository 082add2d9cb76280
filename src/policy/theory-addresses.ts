/**
 * The theory of addresses: is there an address that some lists match and others do not? Networks and most text patterns
 * are ranges; inside each stretch between range ends all addresses are alike. Text patterns that are no range (`10.*.5`)
 * are followed octet by octet for IPv4; for IPv6 they are only sampled, and a miss is "unknown", never "none".
 */
import { type AddressItem, matchAddressList } from "../../grammar/addresses.ts";
import { matchPattern, matchPatternList, type PatternItem } from "../../grammar/patterns.ts";
import type { Release } from "../../grammar/release.ts";
import type { Found } from "./theory-names.ts";

export interface AddressConstraint {
  readonly items: readonly AddressItem[];
  readonly met: boolean;
}

/** A host list in the world where the host is the text of the address (UseDNS no). */
export interface TextConstraint {
  readonly items: readonly PatternItem[];
  readonly met: boolean;
}

export interface AddressQuestion {
  readonly addresses: readonly AddressConstraint[];
  readonly texts: readonly TextConstraint[];
  readonly nice: readonly string[];
  readonly release: Release;
}

/** Inclusive range of addresses as numbers. */
interface Range {
  readonly low: bigint;
  readonly high: bigint;
}

const V4_LAST = 0xffff_ffffn;
const V6_LAST = (1n << 128n) - 1n;
/** real peers with mapped addresses are seen as IPv4 */
const MAPPED: Range = { low: 0xffffn << 32n, high: (0xffffn << 32n) | V4_LAST };
/** real link-local peers carry a zone, so no plain address of this range is ever seen */
const LINK_LOCAL: Range = { low: 0xfe80n << 112n, high: (0xfec0n << 112n) - 1n };
const MAX_TEXT_STATES = 5000;

export function findAddress(question: AddressQuestion): Found<string> {
  const nice = question.nice.find((text) => fits(text, question));
  if (nice !== undefined) return { kind: "found", value: nice };
  const attempts = [findInFamily(question, 4), findInFamily(question, 6), findZoned(question)];
  const found = attempts.find(({ kind }) => kind === "found");
  if (found !== undefined) return found;
  return attempts.some(({ kind }) => kind === "unknown") ? { kind: "unknown" } : { kind: "none" };
}

function fits(text: string, { addresses, texts, release }: AddressQuestion): boolean {
  return (
    addresses.every(({ items, met }) => (matchAddressList(text, items, release) === 1) === met) &&
    texts.every(({ items, met }) => (matchPatternList(text, items, release) === 1) === met)
  );
}

function findInFamily(question: AddressQuestion, family: 4 | 6): Found<string> {
  const ranges: Range[] = family === 6 ? [MAPPED, LINK_LOCAL] : [];
  const loose: string[] = [];
  for (const range of rangesOf(question, family)) {
    if (typeof range === "string") loose.push(range);
    else if (range !== null) ranges.push(range);
  }
  const last = family === 4 ? V4_LAST : V6_LAST;
  for (const candidate of stretches(ranges, last)) {
    if (family === 6 && (inside(candidate.low, MAPPED) || inside(candidate.low, LINK_LOCAL))) continue;
    for (const value of representatives(candidate)) {
      const text = family === 4 ? printV4(value) : printV6(value);
      if (fits(text, question)) return { kind: "found", value: text };
    }
  }
  if (loose.length === 0) return { kind: "none" };
  if (family === 4) return followOctets(question, loose);
  const instance = loose.flatMap(instancesV6).find((text) => fits(text, question));
  return instance === undefined ? { kind: "unknown" } : { kind: "found", value: instance };
}

function inside(value: bigint, { low, high }: Range): boolean {
  return low <= value && value <= high;
}

/** For each item: its range, the text of a pattern that is none, or null where it cannot match in this family. */
function rangesOf(question: AddressQuestion, family: 4 | 6): (Range | string | null)[] {
  const fromAddresses = question.addresses
    .flatMap(({ items }) => items)
    .map((item) => {
      if (item.kind === "network") return networkRange(item.network, family);
      return item.kind === "text" ? textRange(item.pattern, family) : null;
    });
  const fromTexts = question.texts
    .flatMap(({ items }) => items)
    .map(({ pattern }) => textRange(pattern, family));
  return [...fromAddresses, ...fromTexts];
}

function networkRange(
  network: { readonly bytes: readonly number[]; readonly length: number },
  family: 4 | 6,
): Range | null {
  if (network.bytes.length !== (family === 4 ? 4 : 16)) return null;
  const low = network.bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return { low, high: low | ((1n << BigInt(network.bytes.length * 8 - network.length)) - 1n) };
}

const V4_PREFIX = /^((?:(?:0|[1-9]\d{0,2})\.){1,3})\*+$/;
const V4_WHOLE = /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/;
const V6_PREFIX = /^((?:[1-9a-f][0-9a-f]{0,3}:){1,7})\*+$/;

function textRange(pattern: string, family: 4 | 6): Range | string | null {
  if (/^\*+$/.test(pattern)) return { low: 0n, high: family === 4 ? V4_LAST : V6_LAST };
  if (family === 4) {
    if (/[^0-9.*?]/.test(pattern)) return null;
    if (V4_WHOLE.test(pattern)) return octetRange(pattern.split("."));
    const prefix = V4_PREFIX.exec(pattern)?.[1];
    return prefix === undefined ? pattern : octetRange(prefix.slice(0, -1).split("."));
  }
  if (/[^0-9a-f:.*?]/.test(pattern)) return null;
  const prefix = V6_PREFIX.exec(pattern)?.[1];
  if (prefix === undefined) return pattern;
  const groups = prefix.slice(0, -1).split(":");
  const low = groups.reduce((value, group) => (value << 16n) | BigInt(Number.parseInt(group, 16)), 0n);
  const free = BigInt(128 - groups.length * 16);
  return { low: low << free, high: ((low + 1n) << free) - 1n };
}

function octetRange(octets: readonly string[]): Range | null {
  if (octets.some((octet) => Number(octet) > 255)) return null;
  const low = octets.reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
  const free = BigInt(32 - octets.length * 8);
  return { low: low << free, high: ((low + 1n) << free) - 1n };
}

/** Between two neighbouring range ends every list gives the same answer. */
function stretches(ranges: readonly Range[], last: bigint): Range[] {
  const starts = new Set<bigint>([0n]);
  for (const { low, high } of ranges) {
    starts.add(low);
    if (high < last) starts.add(high + 1n);
  }
  const sorted = [...starts].sort((a, b) => (a < b ? -1 : Number(a > b)));
  return sorted.map((low, index) => ({ low, high: (sorted[index + 1] ?? last + 1n) - 1n }));
}

/** The first host of a network reads better than the network's own address. */
function representatives({ low, high }: Range): bigint[] {
  return low < high ? [low + 1n, low, high] : [low];
}

function printV4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
}

/** RFC 5952, as getnameinfo prints it. */
export function printV6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number((value >> BigInt(112 - index * 16)) & 0xffffn),
  );
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  if (best.start === -1) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}

function instancesV6(pattern: string): string[] {
  return ["::1", ":1", "1", "2::1", ""].map((fill) =>
    pattern.replace(/\*+/, fill).replace(/\*/g, "").replace(/\?/g, "1"),
  );
}

/**
 * Link-local peers: `fe80::1%eth0`. A list without zones never matches one by network, so text patterns and the zone
 * decide.
 */
function findZoned(question: AddressQuestion): Found<string> {
  const zones = question.addresses
    .flatMap(({ items }) => items)
    .flatMap((item) => (item.kind === "network" && item.network.scope !== "" ? [item.network.scope] : []));
  const candidates = ["eth0", "x", ...zones].map((zone) => `fe80::1%${zone}`);
  const patterns = [
    ...question.addresses
      .flatMap(({ items }) => items)
      .flatMap((item) => (item.kind === "text" ? [item.pattern] : [])),
    ...question.texts.flatMap(({ items }) => items).map(({ pattern }) => pattern),
  ];
  const relevant = patterns.filter(
    (pattern) => matchPattern("fe80::1%eth0", pattern.replace(/\?/g, "*")) || /%|^fe[89ab?*]/.test(pattern),
  );
  const instances = relevant.flatMap((pattern) =>
    ["", "::1%eth0", "1%eth0", "%eth0", "eth0"].map((fill) =>
      pattern.replace(/\*+/, fill).replace(/\*/g, "").replace(/\?/g, "1"),
    ),
  );
  const zoned = [...candidates, ...instances].filter((text) => /^fe[89ab][0-9a-f]:.*%[^%/,]+$/.test(text));
  const found = zoned.find((text) => fits(text, question));
  if (found !== undefined) return { kind: "found", value: found };
  return relevant.some((pattern) => !/^\*+$/.test(pattern)) ? { kind: "unknown" } : { kind: "none" };
}

/**
 * IPv4 and patterns that are no range: all addresses, octet by octet, by what is left of each pattern and network.
 * Exact unless the limit is met.
 */
function followOctets(question: AddressQuestion, loose: readonly string[]): Found<string> {
  const pieces = octetChoices(loose);
  const seen = new Set<string>();
  const stack: number[][] = [[]];
  while (stack.length > 0) {
    const octets = stack.pop() ?? [];
    if (octets.length === 4) {
      const text = octets.join(".");
      if (fits(text, question)) return { kind: "found", value: text };
      continue;
    }
    for (const octet of pieces(octets.length, question)) {
      const next = [...octets, octet];
      const key = next.join(".");
      if (seen.has(key)) continue;
      if (seen.size >= MAX_TEXT_STATES) return { kind: "unknown" };
      seen.add(key);
      stack.push(next);
    }
  }
  // every octet value was tried where patterns tell them apart; where they were only sampled, a miss proves nothing
  return { kind: "unknown" };
}

/** Octets worth trying: those that networks and patterns name, their neighbours, and a few of each length. */
function octetChoices(loose: readonly string[]): (position: number, question: AddressQuestion) => number[] {
  const named = new Set<number>([1, 7, 10, 42, 100, 200]);
  for (const pattern of loose) {
    for (const part of pattern.match(/[0-9?]+/g) ?? []) {
      const value = Number(part.replace(/\?/g, "1"));
      if (value <= 255) named.add(value);
    }
  }
  return (position, question) => {
    const choices = new Set(named);
    for (const item of question.addresses.flatMap(({ items }) => items)) {
      if (item.kind !== "network" || item.network.bytes.length !== 4) continue;
      const byte = item.network.bytes[position] ?? 0;
      choices.add(byte);
      if (byte < 255) choices.add(byte + 1);
    }
    return [...choices].sort((a, b) => b - a).slice(0, 24);
  };
}
