/**
 * A box: criteria that must hold and criteria that must not. They fall into slots that are independent of one another,
 * so a sample is one value for each slot; what a slot needs is remembered.
 */
import type { Atom, Guard } from "./atoms.ts";
import { type Connection, NO_FIELDS } from "./connection.ts";
import { type Found, found, NONE, UNKNOWN } from "./found.ts";

/** What one slot demands; both lists ascending. */
export interface Cell {
  readonly met: readonly number[];
  readonly missed: readonly number[];
}

export type Box = readonly Cell[];

/** The part of a connection that a slot is about. */
export type Theory = (cell: Cell) => Found<Partial<Connection>>;

export interface World {
  /** one for each slot; those from `firstPlace` on say where a connection comes from and arrives */
  readonly theories: readonly Theory[];
  readonly firstPlace: number;
  /** where nothing is demanded, worlds with the same text give the same; null: one with accounts of its own */
  readonly freely: string | null;
  /** the places of a connection without addresses, where the box has room for it */
  apart(box: Box): Partial<Connection> | null;
  slotOf(attribute: Atom["attribute"]): number;
}

export interface Boxes {
  /** all that the guard demands, and nothing else */
  within(guard: Guard): Box;
  /** the box and the guard; null: they lie apart at sight */
  inside(box: Box, guard: Guard): Box | null;
  /** the part outside the guard, as disjoint boxes: not c1 · c1 and not c2 · c1 and c2 and not c3 … */
  outside(box: Box, guard: Guard): Box[];
  sample(box: Box): Found<Connection>;
  /** what is known for certain of a slot without any effort; undefined: nothing yet */
  solved(slot: number, cell: Cell): Found<Partial<Connection>> | undefined;
}

const FREE: Cell = { met: [], missed: [] };

const NOBODY: Connection = { ...NO_FIELDS, rdomain: "" };

/** `earlier`: boxes in the same world, with an effort of their own; what they have solved is not solved again. */
export function makeBoxes(atoms: readonly Atom[], world: World, earlier: Boxes | null = null): Boxes {
  const slots = atoms.map(({ attribute }) => world.slotOf(attribute));
  const solvers = world.theories.map((theory, slot) =>
    rememberingSolver(earlier === null ? theory : (cell) => earlier.solved(slot, cell) ?? theory(cell)),
  );
  const change = (box: Box, atom: number, cell: Cell): Box => {
    const changed = box.slice();
    changed[slots[atom] ?? 0] = cell;
    return changed;
  };
  const cellOf = (box: Box, atom: number): Cell => box[slots[atom] ?? 0] ?? FREE;
  /** null: the box lies outside this criterion at sight */
  const withMet = (box: Box, atom: number): Box | null => {
    const { met, missed } = cellOf(box, atom);
    if (missed.includes(atom)) return null;
    return met.includes(atom) ? box : change(box, atom, { met: insert(met, atom), missed });
  };
  const withMissed = (box: Box, atom: number): Box | null => {
    const { met, missed } = cellOf(box, atom);
    if (met.includes(atom)) return null;
    return missed.includes(atom) ? box : change(box, atom, { met, missed: insert(missed, atom) });
  };
  let stranger: Stranger | null = null;
  const everywhere: Box = world.theories.map(() => FREE);
  return {
    solved: (slot, cell) => solvers[slot]?.known(cell),
    within: (guard) => {
      const box = everywhere.slice();
      for (let at = 0; at < guard.length; at++) {
        const atom = guard[at] ?? 0;
        const slot = slots[atom] ?? 0;
        const { met, missed } = box[slot] ?? FREE;
        if (!met.includes(atom)) box[slot] = { met: insert(met, atom), missed };
      }
      return box;
    },
    inside: (box, guard) => {
      let inside: Box | null = box;
      for (const atom of guard) if (inside !== null) inside = withMet(inside, atom);
      return inside;
    },
    outside: (box, guard) => {
      const parts: Box[] = [];
      let inside: Box | null = box;
      for (const atom of guard) {
        if (inside === null) break;
        const outside = withMissed(inside, atom);
        if (outside !== null) parts.push(outside);
        inside = withMet(inside, atom);
      }
      return parts;
    },
    sample: (box) => {
      stranger ??= strangerIn(world, solvers);
      let { connection } = stranger;
      let isKnown = true;
      for (let slot = 0; slot < box.length; slot++) {
        const cell = box[slot] ?? FREE;
        if (cell === FREE && stranger.isFound) continue;
        const solved = solvers[slot]?.solve(cell) ?? NONE;
        if (solved.kind === "found") connection = withPart(connection, solved.value);
        else if (solved.kind === "unknown") isKnown = false;
        else {
          // such a client stands for the set only where nobody over IP does
          const apart = slot >= world.firstPlace ? world.apart(box) : null;
          if (apart === null) return NONE;
          return isKnown ? found(withPart(connection, apart)) : UNKNOWN;
        }
      }
      return isKnown ? found(connection) : UNKNOWN;
    },
  };
}

/** Spelled out: V8 gives each copy that is changed afterwards a shape of its own. */
function withPart(connection: Connection, part: Partial<Connection>): Connection {
  const { user, groups, host, addr, laddr, lport, rdomain, invalidUser } = part;
  return {
    user: user === undefined ? connection.user : user,
    groups: groups === undefined ? connection.groups : groups,
    host: host === undefined ? connection.host : host,
    addr: addr === undefined ? connection.addr : addr,
    laddr: laddr === undefined ? connection.laddr : laddr,
    lport: lport === undefined ? connection.lport : lport,
    rdomain: rdomain === undefined ? connection.rdomain : rdomain,
    invalidUser: invalidUser ?? connection.invalidUser,
  };
}

/** What each slot gives where nothing is demanded. */
interface Stranger {
  readonly connection: Connection;
  /** false: a slot has nothing to give, as in a world without accounts */
  readonly isFound: boolean;
}

const strangers = new Map<string, Stranger>();

function strangerIn({ freely }: World, solvers: readonly Solver[]): Stranger {
  const known = freely === null ? undefined : strangers.get(freely);
  const stranger = known ?? solveFree(solvers);
  if (freely !== null) strangers.set(freely, stranger);
  return stranger;
}

function solveFree(solvers: readonly Solver[]): Stranger {
  const solved = solvers.map(({ solve }) => solve(FREE));
  const values = solved.flatMap((found) => (found.kind === "found" ? [found.value] : []));
  return { connection: Object.assign({ ...NOBODY }, ...values), isFound: values.length === solved.length };
}

interface Solver {
  readonly solve: Theory;
  /** undefined: it was not asked, or the effort limit was met */
  readonly known: (cell: Cell) => Found<Partial<Connection>> | undefined;
}

/** Most cells demand nothing, or one criterion. */
function rememberingSolver(theory: Theory): Solver {
  const byCell = new Map<number | string, Found<Partial<Connection>>>();
  return {
    solve: (cell) => {
      const key = keyOf(cell);
      const solved = byCell.get(key) ?? theory(cell);
      byCell.set(key, solved);
      return solved;
    },
    known: (cell) => {
      const solved = byCell.get(keyOf(cell));
      return solved?.kind === "unknown" ? undefined : solved;
    },
  };
}

function keyOf({ met, missed }: Cell): number | string {
  return missed.length === 0 && met.length < 2 ? (met[0] ?? -1) : `${met.join()}|${missed.join()}`;
}

function insert(sorted: readonly number[], value: number): readonly number[] {
  if (sorted.length === 0) return [value];
  const at = sorted.findIndex((other) => other > value);
  return at === -1 ? [...sorted, value] : [...sorted.slice(0, at), value, ...sorted.slice(at)];
}
