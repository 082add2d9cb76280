/**
 * What the search may demand of a connection beside its scope: sequences of guards of which the right one must come
 * first, joined by "all" and "any". Where a sample does not fulfil it, the demand gives smaller boxes to look into.
 */
import type { Box, Boxes } from "./box.ts";
import type { GuardSequence } from "./guard-sequence.ts";
import type { Held } from "./holding.ts";

export type Demand =
  | {
      readonly kind: "first";
      readonly sequence: GuardSequence;
      /** whether the first guard that holds may stand at this position; -1: none holds */
      readonly fits: (position: number) => boolean;
    }
  | { readonly kind: "all" | "any"; readonly of: readonly Demand[] };

export function allOf(...of: readonly Demand[]): Demand {
  return joined("all", of);
}

export function oneOf(...of: readonly Demand[]): Demand {
  return joined("any", of);
}

/** Fulfilled by every connection; by none. */
const ALWAYS: Demand = { kind: "all", of: [] };
const NEVER: Demand = { kind: "any", of: [] };

export function settled(isFulfilled: boolean): Demand {
  return isFulfilled ? ALWAYS : NEVER;
}

/** Most files set few of the keywords that are asked about, so that what is settled without a connection is left out. */
function joined(kind: "all" | "any", of: readonly Demand[]): Demand {
  const neutral = kind === "all" ? ALWAYS : NEVER;
  const deciding = kind === "all" ? NEVER : ALWAYS;
  const open: Demand[] = [];
  for (const part of of) {
    if (part === deciding) return deciding;
    if (part !== neutral) open.push(part);
  }
  const [only = neutral] = open;
  return open.length < 2 ? only : { kind, of: open };
}

/** At least one of the guards holds. */
export function some(sequence: GuardSequence): Demand {
  if (sequence.guards.length === 0) return NEVER;
  return { kind: "first", sequence, fits: (position) => position !== -1 };
}

export function none(sequence: GuardSequence): Demand {
  return not(some(sequence));
}

export function not(demand: Demand): Demand {
  if (demand.kind === "first") {
    const { sequence, fits } = demand;
    return { kind: "first", sequence, fits: (position) => !fits(position) };
  }
  return joined(demand.kind === "all" ? "any" : "all", demand.of.map(not));
}

/** A sample that was taken from a box, and what holds for it. */
interface Sample {
  readonly box: Box;
  readonly held: Held;
  readonly boxes: Boxes;
}

/**
 * Null: the sample fulfils the demand. Else boxes inside its box, without the sample, that hold each connection which
 * does; they may overlap.
 */
export function waysTo(demand: Demand, sample: Sample): Iterator<Box> | null {
  const ways = waysIn(demand, sample);
  return ways === null ? null : ways[Symbol.iterator]();
}

function waysIn(demand: Demand, sample: Sample): Iterable<Box> | null {
  if (demand.kind === "first") {
    const { sequence, fits } = demand;
    const position = sequence.firstHeld(sample.held, sequence.guards.length);
    return fits(position) ? null : otherFirsts(demand, position, sample);
  }
  const open: Iterable<Box>[] = [];
  for (const part of demand.of) {
    const ways = waysIn(part, sample);
    if (ways !== null && demand.kind === "all") return ways;
    if (ways === null && demand.kind === "any") return null;
    if (ways !== null) open.push(ways);
  }
  return demand.kind === "all" ? null : inTurn(open);
}

function* inTurn(all: readonly Iterable<Box>[]): Iterable<Box> {
  for (const ways of all) yield* ways;
}

/** The guard that came first does not hold, or one in front of it does. */
function* otherFirsts(
  { sequence, fits }: Extract<Demand, { kind: "first" }>,
  position: number,
  { box, boxes }: Sample,
): Iterable<Box> {
  const { guards } = sequence;
  if (position !== -1) yield* boxes.outside(box, guards[position] ?? []);
  const met: number[] = [];
  for (const cell of box) met.push(...cell.met);
  for (const earlier of sequence.meeting(met, position === -1 ? guards.length : position)) {
    const inside = fits(earlier) ? boxes.inside(box, guards[earlier] ?? []) : null;
    if (inside !== null) yield inside;
  }
}
