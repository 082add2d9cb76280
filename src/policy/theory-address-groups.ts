/**
 * IPv6 text with wildcards, followed through the printed address (RFC 5952, as getnameinfo has it): digit by digit, for
 * each place that the zeros left out, `::`, can have. Exact unless a limit is met.
 */
import { type Found, NONE, UNKNOWN } from "./found.ts";
import type { Range } from "./ranges.ts";
import type { Effort } from "./theory-names.ts";
import { follow, isSure, keyOf, type Positions, startOf } from "./wildcard-steps.ts";

export interface FollowedItem {
  readonly negated: boolean;
  /** null: it is a range, which text does not tell */
  readonly pattern: string | null;
}

interface FollowedList {
  readonly items: readonly FollowedItem[];
  readonly met: boolean;
}

export interface GroupQuestion {
  /** between their ends all that is no such text gives the same answer */
  readonly stretches: readonly Range[];
  readonly lists: readonly FollowedList[];
  /** of a whole address: as it is seen, where it fits */
  readonly fitting: (text: string) => Found<string>;
  readonly effort: Effort;
}

const MAX_STATES = 20_000;
const DIGIT_VALUES = 16;
const GROUPS = 8;
const DIGITS = 4;

/** Which zeros are left out. A length of 0: none are. */
interface Shape {
  readonly start: number;
  readonly length: number;
}

/** The leftmost of the longest runs of two or more groups is left out. */
const SHAPES: readonly Shape[] = Array.from({ length: GROUPS }, (_, start) => start)
  .flatMap((start) =>
    Array.from({ length: GROUPS - start - 1 }, (_, more) => ({ start, length: GROUPS - start - more })),
  )
  .concat({ start: GROUPS, length: 0 });

/** Addresses that begin alike: `digit` digits of a group are known, the zeros among them that are not printed too. */
interface Path {
  readonly text: string;
  readonly group: number;
  readonly digit: number;
  /** a digit of this group is printed */
  readonly begun: boolean;
  /** groups of zeros up to here, one behind the other */
  readonly zeros: number;
  /** all digits up to here are those of the stretch's first address, or of its last */
  readonly low: boolean;
  readonly high: boolean;
  /** what is left of each pattern */
  readonly states: readonly Positions[];
}

export function followGroups(question: GroupQuestion): Found<string> {
  const patterns = question.lists.flatMap(({ items }) => items.flatMap(({ pattern }) => pattern ?? []));
  const start: Path = {
    ...{ text: "", group: 0, digit: 0, begun: false, zeros: 0, low: true, high: true },
    states: patterns.map(startOf),
  };
  let visited = 0;
  for (const stretch of question.stretches.map(digitsOf))
    for (const shape of SHAPES) {
      const seen = new Set<string>();
      const stack = [start];
      for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
        if (++visited > MAX_STATES || question.effort.patternSteps <= 0) return UNKNOWN;
        question.effort.patternSteps -=
          DIGIT_VALUES * path.states.reduce((sum, { length }) => sum + length, 1);
        if (path.group === GROUPS) {
          const fitting = question.fitting(path.text);
          if (fitting.kind !== "none") return fitting;
          continue;
        }
        const longer = path.group === shape.start ? pastZeros : pastDigit;
        for (const next of longer(path, shape, stretch, patterns)) {
          const key = pathKey(next);
          if (seen.has(key) || isLost(question.lists, next.states)) continue;
          seen.add(key);
          stack.push(next);
        }
      }
    }
  return NONE;
}

/** Whatever follows, some list is not as it is wanted. */
function isLost(lists: readonly FollowedList[], states: readonly Positions[]): boolean {
  let at = 0;
  return lists.some(({ items, met }) => {
    const told = items.map(({ negated, pattern }) => ({
      negated,
      hit: pattern === null ? "perhaps" : hitOf(pattern, states[at++]),
    }));
    const never = (sign: boolean): boolean =>
      told.every(({ negated, hit }) => negated !== sign || hit === "never");
    const surely = (sign: boolean): boolean =>
      told.some(({ negated, hit }) => negated === sign && hit === "surely");
    return met ? never(false) || surely(true) : surely(false) && never(true);
  });
}

function hitOf(pattern: string, positions: Positions = []): "never" | "perhaps" | "surely" {
  if (positions.length === 0) return "never";
  return isSure(pattern, positions) ? "surely" : "perhaps";
}

function pathKey({ group, digit, begun, zeros, low, high, states }: Path): string {
  return `${group} ${digit} ${begun} ${zeros} ${low} ${high} ${keyOf(states)}`;
}

/** Its ends, digit by digit. */
interface Stretch {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

function digitsOf({ low, high }: Range): Stretch {
  const digits = (value: bigint): readonly number[] =>
    [...value.toString(16).padStart(GROUPS * DIGITS, "0")].map((digit) => Number.parseInt(digit, 16));
  return { low: digits(low), high: digits(high) };
}

/** Nothing where the group before is zero, too, as the whole run is left out. */
function pastZeros(
  path: Path,
  { start, length }: Shape,
  stretch: Stretch,
  patterns: readonly string[],
): Path[] {
  if (path.zeros > 0) return [];
  const isZero = (end: readonly number[]): boolean =>
    end.slice(start * DIGITS, (start + length) * DIGITS).every((digit) => digit === 0);
  if (path.low && !isZero(stretch.low)) return [];
  return [
    {
      ...path,
      text: `${path.text}::`,
      group: start + length,
      // no group of zeros may come next
      zeros: length,
      high: path.high && isZero(stretch.high),
      states: after(patterns, path.states, "::"),
    },
  ];
}

function pastDigit(path: Path, shape: Shape, stretch: Stretch, patterns: readonly string[]): Path[] {
  const { group, digit, begun } = path;
  const at = group * DIGITS + digit;
  const [least = 0, most = 15] = [path.low ? stretch.low[at] : 0, path.high ? stretch.high[at] : 15];
  const isLast = digit === DIGITS - 1;
  const between = begun || group === 0 || group === shape.start + shape.length ? "" : ":";
  const paths: Path[] = [];
  for (let value = least; value <= most; value++) {
    const isPrinted = begun || value > 0 || isLast;
    const added = isPrinted ? between + value.toString(16) : "";
    const zeros = isLast ? (begun || value > 0 ? 0 : path.zeros + 1) : path.zeros;
    if (zeros > mostZeros(group, shape)) continue;
    paths.push({
      text: path.text + added,
      group: isLast ? group + 1 : group,
      digit: isLast ? 0 : digit + 1,
      begun: isPrinted && !isLast,
      zeros,
      low: path.low && value === least,
      high: path.high && value === most,
      states: after(patterns, path.states, added),
    });
  }
  return paths;
}

/** Longer runs would be left out in the place of the one that is. */
function mostZeros(group: number, { start, length }: Shape): number {
  if (length === 0) return 1;
  return group < start ? length - 1 : length;
}

function after(
  patterns: readonly string[],
  states: readonly Positions[],
  added: string,
): readonly Positions[] {
  return patterns.map((pattern, index) => follow(pattern, states[index] ?? [], added));
}
