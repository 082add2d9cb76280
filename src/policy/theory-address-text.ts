/** Addresses under text patterns that are no range, such as `10.*.5`: followed through the printed address. */
import { type AddressItem, matchAddressList } from "../../grammar/addresses.ts";
import { type Family, itemRanges, printAddress, valueOfV6 } from "./address-sets.ts";
import { type Found, found, NONE, UNKNOWN } from "./found.ts";
import { contains, intersect, type Range, type Ranges, subtract, unite } from "./ranges.ts";
import { type FollowedItem, followGroups } from "./theory-address-groups.ts";
import { type Effort, findName, type NameConstraint } from "./theory-names.ts";
import { follow, keyOf, type Positions, startOf } from "./wildcard-steps.ts";

export interface AddressConstraint {
  readonly items: readonly AddressItem[];
  readonly met: boolean;
}

export function fits(text: string, constraints: readonly AddressConstraint[]): boolean {
  return constraints.every(({ items, met }) => (matchAddressList(text, items) === 1) === met);
}

export interface LooseQuestion {
  /** the lists with text that is no range */
  readonly constraints: readonly AddressConstraint[];
  /** where the other lists leave room */
  readonly left: Ranges;
  readonly family: Family;
  /** tried first; they lie inside `left` */
  readonly nice: readonly string[];
  readonly effort: Effort;
}

const MAX_STATES = 2000;
const MAX_STRETCHES = 200;

export function findLoose(question: LooseQuestion): Found<string> {
  const { constraints, family, nice, effort } = question;
  const good = nice.find((text) => fits(text, constraints));
  if (good !== undefined) return found(good);
  const room = constraints.reduce((left, constraint) => narrowed(left, constraint, family), question.left);
  if (room.length === 0) return NONE;
  const few = room.reduce((count, { low, high }) => count + high - low + 1n, 0n) <= FEW;
  if (few) return findAmong(room, constraints, family);
  const stretches = stretchesOf({ ...question, left: room });
  for (const { low, high } of stretches.slice(0, MAX_STRETCHES)) {
    for (const value of new Set([low < high ? low + 1n : low, low, high])) {
      const text = printAddress(value, family);
      if (fits(text, constraints)) return found(text);
    }
  }
  if (noTextFits(constraints, family, effort)) return NONE;
  if (family === 4) return followOctets(constraints, stretches, effort);
  const sampled = sampleInstance(question);
  if (sampled !== undefined) return found(sampled);
  const lists = constraints.map(({ items, met }) => ({ items: items.flatMap(followed), met }));
  const fitting = (text: string): Found<string> => (fits(text, constraints) ? found(text) : NONE);
  return followGroups({ stretches, lists, fitting, effort });
}

/** Of IPv6, without what never matches there. */
function followed(item: AddressItem): readonly FollowedItem[] {
  const { negated } = item;
  const ranges = itemRanges(item, 6);
  if (ranges !== "loose") return ranges.length === 0 ? [] : [{ negated, pattern: null }];
  return item.kind === "text" ? [{ negated, pattern: item.pattern }] : [];
}

/** A network of this size is looked through, address by address. */
const FEW = 256n;

function findAmong(room: Ranges, constraints: readonly AddressConstraint[], family: Family): Found<string> {
  for (const { low, high } of room)
    for (let value = low; value <= high; value++) {
      const text = printAddress(value, family);
      if (fits(text, constraints)) return found(text);
    }
  return NONE;
}

/** What a list leaves at most, with each loose item taken for the whole range that its fixed beginning names. */
function narrowed(left: Ranges, { items, met }: AddressConstraint, family: Family): Ranges {
  const surely = (negated: boolean): Ranges =>
    unite(items.flatMap((item) => exactRanges(item, negated, family)));
  const perhaps = (negated: boolean): Ranges =>
    unite(items.flatMap((item) => (item.negated === negated ? outerRanges(item, family) : [])));
  return met
    ? subtract(intersect(left, perhaps(false)), surely(true))
    : subtract(left, subtract(surely(false), perhaps(true)));
}

function exactRanges(item: AddressItem, negated: boolean, family: Family): readonly Range[] {
  const ranges = item.negated === negated ? itemRanges(item, family) : [];
  return ranges === "loose" ? [] : ranges;
}

function outerRanges(item: AddressItem, family: Family): readonly Range[] {
  const ranges = itemRanges(item, family);
  if (ranges !== "loose" || item.kind !== "text") return ranges === "loose" ? [] : ranges;
  const fixed = /^[^*?]*/.exec(item.pattern)?.[0] ?? "";
  const [separator, bits, base] = family === 4 ? [".", 8, 10] : [":", 16, 16];
  const parts = fixed.split(separator).slice(0, -1);
  const end = parts.indexOf("");
  const whole = (end === -1 ? parts : parts.slice(0, end)).map((part) => Number.parseInt(part, base));
  if (whole.some((part) => part >= 2 ** bits) || whole.length * bits > BITS[family]) return [];
  const low = whole.reduce((value, part) => (value << BigInt(bits)) | BigInt(part), 0n);
  const free = BigInt(BITS[family] - whole.length * bits);
  return [{ low: low << free, high: ((low + 1n) << free) - 1n }];
}

const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/** Between two neighbouring range ends all items that are ranges give the same answer. */
function stretchesOf({ constraints, left, family }: LooseQuestion): Range[] {
  const starts = new Set<bigint>();
  for (const item of constraints.flatMap(({ items }) => items)) {
    const ranges = itemRanges(item, family);
    if (ranges === "loose") continue;
    for (const { low, high } of ranges) starts.add(low).add(high + 1n);
  }
  const sorted = [...starts].sort((a, b) => (a < b ? -1 : Number(a > b)));
  return left.flatMap(({ low, high }) => {
    const cuts = [low, ...sorted.filter((start) => start > low && start <= high)];
    return cuts.map((start, index) => ({ low: start, high: (cuts[index + 1] ?? high + 1n) - 1n }));
  });
}

/** A path through the octets: what is left of each pattern, and the range of addresses that begin like this. */
interface Path {
  readonly text: string;
  readonly octets: number;
  readonly value: bigint;
  readonly states: readonly Positions[];
}

/** Exact for IPv4 unless the limit is met: paths with the same rest of each pattern are alike. */
function followOctets(
  constraints: readonly AddressConstraint[],
  stretches: readonly Range[],
  effort: Effort,
): Found<string> {
  const patterns = loosePatterns(constraints, 4);
  let visited = 0;
  for (const stretch of stretches) {
    const seen = new Set<string>();
    const start: Path = {
      text: "",
      octets: 0,
      value: 0n,
      states: patterns.map(startOf),
    };
    const stack = [start];
    while (stack.length > 0) {
      const path = stack.pop() ?? start;
      if (++visited > MAX_STATES || effort.patternSteps <= 0) return UNKNOWN;
      effort.patternSteps -= 256 * patterns.length;
      for (const next of octetsAfter(path, patterns, stretch)) {
        if (next.octets === 4) {
          if (fits(next.text, constraints)) return found(next.text);
          continue;
        }
        const key = `${next.octets} ${isWhole(next, stretch) ? "" : next.value} ${keyOf(next.states)}`;
        if (seen.has(key)) continue;
        seen.add(key);
        stack.push(next);
      }
    }
  }
  return NONE;
}

function loosePatterns(constraints: readonly AddressConstraint[], family: Family): readonly string[] {
  return constraints.flatMap(({ items }) =>
    items.flatMap((item) =>
      item.kind === "text" && itemRanges(item, family) === "loose" ? [item.pattern] : [],
    ),
  );
}

/** Last octets with the same rests of patterns are alike, so one of each kind is enough. */
function octetsAfter(path: Path, patterns: readonly string[], stretch: Range): Path[] {
  const paths = new Map<string, Path>();
  for (let octet = 255; octet >= 0; octet--) {
    const value = (path.value << 8n) | BigInt(octet);
    const octets = path.octets + 1;
    const { low, high } = spanOf({ value, octets });
    if (high < stretch.low || low > stretch.high) continue;
    const added = octets < 4 ? `${octet}.` : String(octet);
    const states = patterns.map((pattern, index) => follow(pattern, path.states[index] ?? [], added));
    const next = { text: path.text + added, octets, value, states };
    paths.set(`${isWhole(next, stretch) ? "" : octet} ${keyOf(states)}`, next);
  }
  return [...paths.values()];
}

function spanOf({ value, octets }: Pick<Path, "value" | "octets">): Range {
  const free = BigInt(32 - octets * 8);
  return { low: value << free, high: ((value + 1n) << free) - 1n };
}

function isWhole(path: Path, stretch: Range): boolean {
  const { low, high } = spanOf(path);
  return low >= stretch.low && high <= stretch.high;
}

/** The quick way to most IPv6 addresses that text with wildcards is meant for. */
function sampleInstance({ constraints, left }: LooseQuestion): string | undefined {
  const texts = constraints.flatMap(({ items }) =>
    items.flatMap((item) => (item.kind === "text" ? instancesOf(item.pattern) : [])),
  );
  return texts.find((text) => {
    const value = valueOfV6(text);
    return value !== null && contains(left, value) && fits(text, constraints);
  });
}

function instancesOf(pattern: string): string[] {
  return ["::1", ":1", "1", "2::1", "5:1", ""].map((fill) =>
    pattern.replace(/\*+/, fill).replace(/\*/g, "").replace(/\?/g, "1"),
  );
}

/** No text at all fits the lists, taken without those whose networks might match in this family: a proof of "none". */
export function noTextFits(
  constraints: readonly AddressConstraint[],
  family: Family | "zoned",
  effort: Effort,
): boolean {
  const names: NameConstraint[] = family === "zoned" ? [WITH_ZONE] : [];
  for (const { items, met } of constraints) {
    if (items.some((item) => item.kind === "network" && canMatch(item, family))) continue;
    const patterns = items.flatMap((item) => (item.kind === "text" ? [item] : []));
    names.push({ items: patterns, wanted: met ? [1] : [-1, 0] });
  }
  return findName(names, { nice: [], forbidden: NOT_IN_TEXT[family], effort }).kind === "none";
}

/** What is printed for an address of the family; IPv6 has dots for mapped and compatible ones alone, which no peer has. */
const NOT_IN_TEXT: Readonly<Record<Family | "zoned", RegExp>> = {
  4: /[^0-9.]/,
  6: /[^0-9a-f:]/,
  zoned: /[\0-\x20,/]/,
};

/** fe80::/10, as it is printed */
const WITH_ZONE: NameConstraint = {
  items: ["fe8?:*%*", "fe9?:*%*", "fea?:*%*", "feb?:*%*"].map((pattern) => ({ negated: false, pattern })),
  wanted: [1],
};

function canMatch({ network }: Extract<AddressItem, { kind: "network" }>, family: Family | "zoned"): boolean {
  if (family === 4) return network.bytes.length === 4;
  return network.bytes.length === 16 && (family === 6) === (network.scope === "0");
}
