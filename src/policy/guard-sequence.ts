/**
 * Guards in the order of their lines: which of them comes first for a connection, and which may hold together with
 * given criteria. Both are found through the criteria, so that of thousands of guards only a few are looked at.
 */
import type { Atom, Guard } from "./atoms.ts";
import { type Held, holds, push } from "./holding.ts";
import type { Overlaps } from "./overlap.ts";

export interface GuardSequence {
  readonly guards: readonly Guard[];
  /** position of the first guard before `end` that holds; -1: none does */
  firstHeld(held: Held, end: number): number;
  /** positions before `end` of guards that may hold together with all of `met`, ascending, no more than `most` */
  meeting(met: Guard, end: number, most?: number): readonly number[];
}

/** One for all searches. */
export const NO_GUARDS: GuardSequence = { guards: [], firstHeld: () => -1, meeting: () => [] };

/** Below this many guards an index costs more than a look at each. */
const WORTH_AN_INDEX = 12;

export function makeSequence(
  guards: readonly Guard[],
  list: readonly Atom[],
  overlaps: Overlaps,
): GuardSequence {
  let places: Places | null = null;
  const placesOf = (): Places => {
    places ??= placesIn(guards, list);
    return places;
  };
  let keys: Keys | null = null;
  return {
    guards,
    firstHeld: (held, end) => {
      if (guards.length < WORTH_AN_INDEX) return firstOfFew(guards, held, end);
      keys ??= keysOf(guards, placesOf(), list);
      return firstByKey(guards, keys, held, end);
    },
    meeting: (met, end, most = Number.POSITIVE_INFINITY) => {
      const meeting = { list, overlaps, met };
      if (guards.length < WORTH_AN_INDEX) return lookAtEach(guards, limitsOf(meeting), { list, end, most });
      const { limits, best } = narrow(meeting, placesOf());
      if (best === null) return lookAtEach(guards, limits, { list, end, most });
      const found: number[] = [];
      // both in the order of the lines
      const [named, others] = [positionsOf(best, placesOf()), placesOf().without(best.attribute)];
      for (let at = 0, other = 0; found.length < most && (at < named.length || other < others.length); ) {
        const [next, nextOther] = [named[at] ?? end, others[other] ?? end];
        const position = Math.min(next, nextOther);
        if (position >= end) break;
        if (next <= nextOther) at++;
        if (nextOther <= next) other++;
        if (meets(guards[position] ?? [], limits, list)) found.push(position);
      }
      return found;
    },
  };
}

function firstOfFew(guards: readonly Guard[], held: Held, end: number): number {
  for (let at = 0; at < end && at < guards.length; at++) if (holds(guards[at] ?? [], held)) return at;
  return -1;
}

interface Range {
  readonly list: readonly Atom[];
  readonly end: number;
  readonly most: number;
}

function lookAtEach(
  guards: readonly Guard[],
  limits: readonly Limit[],
  { list, end, most }: Range,
): number[] {
  const found: number[] = [];
  for (let at = 0; at < Math.min(end, guards.length) && found.length < most; at++)
    if (meets(guards[at] ?? [], limits, list)) found.push(at);
  return found;
}

interface Places {
  /** positions by criterion, ascending */
  readonly byAtom: ReadonlyMap<number, readonly number[]>;
  /** positions of the guards that say nothing about an attribute */
  without(attribute: Atom["attribute"]): readonly number[];
}

function placesIn(guards: readonly Guard[], list: readonly Atom[]): Places {
  const byAtom = new Map<number, number[]>();
  for (const [position, guard] of guards.entries()) for (const atom of guard) push(byAtom, atom, position);
  const remembered = new Map<Atom["attribute"], readonly number[]>();
  return {
    byAtom,
    without: (attribute) => {
      const known =
        remembered.get(attribute) ??
        [...guards.keys()].filter((position) =>
          (guards[position] ?? []).every((atom) => list[atom]?.attribute !== attribute),
        );
      remembered.set(attribute, known);
      return known;
    },
  };
}

/** Each guard under one criterion of its own, the rarest: where that one does not hold, the guard does not. */
interface Keys {
  readonly byAtom: ReadonlyMap<number, readonly number[]>;
  /** the first guard that demands nothing; -1: there is none */
  readonly always: number;
}

function keysOf(guards: readonly Guard[], places: Places, list: readonly Atom[]): Keys {
  const byAtom = new Map<number, number[]>();
  // a connection lies in fewer of the networks than its user stands in lists
  const rarity = (atom: number): number =>
    (places.byAtom.get(atom)?.length ?? 0) + (list[atom]?.attribute === "address" ? 0 : 0.5);
  for (const [position, guard] of guards.entries()) {
    let [key] = guard;
    for (const atom of guard) if (key !== undefined && rarity(atom) < rarity(key)) key = atom;
    if (key !== undefined) push(byAtom, key, position);
  }
  return { byAtom, always: guards.findIndex((guard) => guard.length === 0) };
}

function firstByKey(guards: readonly Guard[], { byAtom, always }: Keys, held: Held, end: number): number {
  let first = always !== -1 && always < end ? always : end;
  for (const atoms of held) {
    for (const atom of atoms) {
      for (const position of byAtom.get(atom) ?? NOWHERE) {
        if (position >= first) break;
        if (holds(guards[position] ?? [], held)) first = position;
      }
    }
  }
  return first === end ? -1 : first;
}

const NOWHERE: readonly number[] = [];

/** What may hold together with one criterion, which its attribute has. */
interface Limit {
  readonly attribute: Atom["attribute"];
  readonly may: ReadonlySet<number>;
}

interface Meeting {
  readonly met: Guard;
  readonly list: readonly Atom[];
  readonly overlaps: Overlaps;
}

function limitsOf(meeting: Meeting): readonly Limit[] {
  const limits: Limit[] = [];
  for (const atom of meeting.met) {
    const limit = limitOf(meeting, atom);
    if (limit !== null) limits.push(limit);
  }
  return limits;
}

function limitOf({ list, overlaps }: Meeting, atom: number): Limit | null {
  const attribute = list[atom]?.attribute;
  const may = overlaps.of(atom);
  return may === null || attribute === undefined ? null : { attribute, may };
}

/** So few positions are looked at one by one, without a further limit. */
const FEW = 16;

/** Limits until one leaves few positions; networks first, because they are the ones that narrow most. */
function narrow(
  meeting: Meeting,
  { byAtom, without }: Places,
): { readonly limits: readonly Limit[]; readonly best: Limit | null } {
  const limits: Limit[] = [];
  let best: Limit | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  const isPlace = (atom: number): boolean => meeting.list[atom]?.attribute === "address";
  const { met } = meeting;
  const ordered = met.length < 2 ? met : [...met.filter(isPlace), ...met.filter((atom) => !isPlace(atom))];
  for (const atom of ordered) {
    const limit = limitOf(meeting, atom);
    if (limit === null) continue;
    limits.push(limit);
    let size = without(limit.attribute).length;
    for (const other of limit.may) size += byAtom.get(other)?.length ?? 0;
    if (size < fewest) [best, fewest] = [limit, size];
    if (fewest <= FEW) break;
  }
  return { limits, best };
}

/** Positions of the guards with a criterion that the limit lets through, ascending. */
function positionsOf({ may }: Limit, { byAtom }: Places): readonly number[] {
  const [only] = may;
  if (may.size === 1 && only !== undefined) return byAtom.get(only) ?? NOWHERE;
  const positions = new Set<number>();
  for (const atom of may) for (const position of byAtom.get(atom) ?? NOWHERE) positions.add(position);
  return [...positions].sort((a, b) => a - b);
}

function meets(guard: Guard, limits: readonly Limit[], list: readonly Atom[]): boolean {
  if (limits.length === 0) return true;
  for (const atom of guard) {
    const attribute = list[atom]?.attribute;
    for (const limit of limits) if (limit.attribute === attribute && !limit.may.has(atom)) return false;
  }
  return true;
}
