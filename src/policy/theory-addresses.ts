/**
 * The theory of addresses: is there an address that some lists match and others do not? Networks and most text patterns
 * are ranges; inside each stretch between range ends all addresses are alike. Text patterns that are no range (`10.*.5`)
 * are followed octet by octet for IPv4; for IPv6 they are only sampled, and a miss is "unknown", never "none".
 */
import { type AddressItem, matchAddressList, type Network } from "../../grammar/addresses.ts";
import { type ListMatch, matchPattern, matchPatternList, type PatternItem } from "../../grammar/patterns.ts";
import type { Release } from "../../grammar/release.ts";
import { type Found, findName, type NameConstraint } from "./theory-names.ts";

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
  const loose = new Map<string, Range>();
  for (const range of rangesOf(question, family)) {
    if (range === null) continue;
    const outer = typeof range === "string" ? looseRange(range, family) : range;
    ranges.push(outer);
    if (typeof range === "string") loose.set(range, outer);
  }
  let isOpen = false;
  for (const stretch of stretches(ranges, family === 4 ? V4_LAST : V6_LAST)) {
    if (family === 6 && (inside(stretch.low, MAPPED) || inside(stretch.low, LINK_LOCAL))) continue;
    const values = representatives(stretch);
    const found = values.map((value) => print(value, family)).find((text) => fits(text, question));
    if (found !== undefined) return { kind: "found", value: found };
    isOpen ||= mayFit(question, stretch.low, { family, loose });
  }
  if (!isOpen || !textsAgree(question, family)) return { kind: "none" };
  if (family === 4) return followOctets(question, [...loose.keys()]);
  const instance = [...loose.keys()].flatMap(instancesV6).find((text) => fits(text, question));
  return instance === undefined ? { kind: "unknown" } : { kind: "found", value: instance };
}

function print(value: bigint, family: 4 | 6): string {
  return family === 4 ? printV4(value) : printV6(value);
}

/** A range that holds all that a loose pattern matches, by the whole octets or groups it begins with. */
function looseRange(pattern: string, family: 4 | 6): Range {
  const fixed = /^[^*?]*/.exec(pattern)?.[0] ?? "";
  const parts = fixed.split(family === 4 ? "." : ":").slice(0, -1);
  const end = parts.indexOf("");
  const whole = end === -1 ? parts : parts.slice(0, end);
  const shift = family === 4 ? 8n : 16n;
  const low = whole.reduce(
    (value, part) => (value << shift) | BigInt(Number.parseInt(part, family === 4 ? 10 : 16)),
    0n,
  );
  const free = BigInt(family === 4 ? 32 : 128) - shift * BigInt(whole.length);
  return { low: low << free, high: ((low + 1n) << free) - 1n };
}

/** Whether loose patterns leave a chance: elsewhere in a stretch all items are as at its first address. */
function mayFit(
  { addresses, texts, release }: AddressQuestion,
  value: bigint,
  { family, loose }: { readonly family: 4 | 6; readonly loose: ReadonlyMap<string, Range> },
): boolean {
  const text = print(value, family);
  const chance = (pattern: string): "yes" | "no" | "maybe" => {
    const range = loose.get(pattern);
    if (range !== undefined) return inside(value, range) ? "maybe" : "no";
    return matchPattern(text, pattern, release) ? "yes" : "no";
  };
  const possible = (
    results: readonly { negated: boolean; hit: "yes" | "no" | "maybe" }[],
    met: boolean,
  ): boolean => {
    const some = (negated: boolean, ...hits: readonly string[]): boolean =>
      results.some((result) => result.negated === negated && hits.includes(result.hit));
    return met
      ? some(false, "yes", "maybe") && !some(true, "yes")
      : !some(false, "yes") || some(true, "yes", "maybe");
  };
  return (
    texts.every(({ items, met }) =>
      possible(
        items.map(({ negated, pattern }) => ({ negated, hit: chance(pattern) })),
        met,
      ),
    ) &&
    addresses.every(({ items, met }) =>
      possible(
        items.map((item) => ({
          negated: item.negated,
          hit:
            item.kind === "text"
              ? chance(item.pattern)
              : matchAddressList(text, [{ ...item, negated: false }], release) === 1
                ? "yes"
                : "no",
        })),
        met,
      ),
    )
  );
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
  // only IPv4-mapped and -compatible addresses are printed with dots, and no peer has one
  if (/[^0-9a-f:*?]/.test(pattern)) return null;
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
    .flatMap((item) => (item.kind === "network" && item.network.scope !== "0" ? [item.network.scope] : []));
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
  const isLoose = relevant.some((pattern) => !/^\*+$/.test(pattern));
  return isLoose && textsAgree(question, "zoned") ? { kind: "unknown" } : { kind: "none" };
}

/**
 * False where no text at all fits the lists, taken without the networks that might match in this family: a proof of
 * "none" for addresses that the search above only samples.
 */
function textsAgree(question: AddressQuestion, family: 4 | 6 | "zoned"): boolean {
  const constraints: NameConstraint[] = question.texts.map(({ items, met }) => ({
    items,
    wanted: met ? HIT : MISS,
  }));
  for (const { items, met } of question.addresses) {
    if (items.some((item) => item.kind === "network" && canMatch(item.network, family))) continue;
    const patterns = items.flatMap((item) => (item.kind === "text" ? [item] : []));
    constraints.push({ items: patterns, wanted: met ? HIT : MISS });
  }
  const domain = { release: question.release, nice: [], forbidden: family === 4 ? /[^0-9.]/ : /[\0-\x20,/]/ };
  return findName(constraints, domain).kind !== "none";
}

const HIT: readonly ListMatch[] = [1];
const MISS: readonly ListMatch[] = [-1, 0];

function canMatch({ bytes, scope }: Network, family: 4 | 6 | "zoned"): boolean {
  if (family === 4) return bytes.length === 4;
  return bytes.length === 16 && (family === 6) === (scope === "0");
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
