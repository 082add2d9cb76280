/**
 * A box: criteria that must hold and criteria that must not. They fall into slots that are independent of one another,
 * so a sample is one value for each slot; what a slot needs is remembered.
 */
import type { Atom } from "./atoms.ts";
import type { Connection } from "./connection.ts";
import type { Found } from "./theory-names.ts";

/** What one slot demands; both lists ascending. */
export interface Cell {
  readonly met: readonly number[];
  readonly missed: readonly number[];
}

export type Box = readonly Cell[];

/** The part of a connection that a slot is about. */
export type Theory = (cell: Cell) => Found<Partial<Connection>>;

export interface World {
  /** one for each slot */
  readonly theories: readonly Theory[];
  slotOf(attribute: Atom["attribute"]): number;
}

export interface Boxes {
  readonly everywhere: Box;
  /** null: the box lies outside this criterion at sight */
  withMet(box: Box, atom: number): Box | null;
  withMissed(box: Box, atom: number): Box | null;
  isMet(box: Box, atom: number): boolean;
  isMissed(box: Box, atom: number): boolean;
  sample(box: Box): Found<Connection>;
}

const FREE: Cell = { met: [], missed: [] };

const NOBODY: Connection = {
  user: null,
  groups: null,
  host: null,
  addr: null,
  laddr: null,
  lport: null,
  rdomain: "",
  invalidUser: false,
};

export function makeBoxes(atoms: readonly Atom[], world: World): Boxes {
  const slots = atoms.map(({ attribute }) => world.slotOf(attribute));
  const memories = world.theories.map(() => new Map<string, Found<Partial<Connection>>>());
  const cellOf = (box: Box, atom: number): Cell => box[slots[atom] ?? 0] ?? FREE;
  const change = (box: Box, atom: number, cell: Cell): Box => {
    const slot = slots[atom] ?? 0;
    return box.map((old, index) => (index === slot ? cell : old));
  };
  const solve = (slot: number, cell: Cell): Found<Partial<Connection>> => {
    const key = `${cell.met.join()}|${cell.missed.join()}`;
    const known = memories[slot]?.get(key);
    if (known !== undefined) return known;
    const solved = world.theories[slot]?.(cell) ?? { kind: "none" };
    memories[slot]?.set(key, solved);
    return solved;
  };
  return {
    everywhere: world.theories.map(() => FREE),
    isMet: (box, atom) => cellOf(box, atom).met.includes(atom),
    isMissed: (box, atom) => cellOf(box, atom).missed.includes(atom),
    withMet: (box, atom) => {
      const { met, missed } = cellOf(box, atom);
      if (missed.includes(atom)) return null;
      return met.includes(atom) ? box : change(box, atom, { met: insert(met, atom), missed });
    },
    withMissed: (box, atom) => {
      const { met, missed } = cellOf(box, atom);
      if (met.includes(atom)) return null;
      return missed.includes(atom) ? box : change(box, atom, { met, missed: insert(missed, atom) });
    },
    sample: (box) => {
      let connection = NOBODY;
      let isKnown = true;
      for (const [slot, cell] of box.entries()) {
        const solved = solve(slot, cell);
        if (solved.kind === "none") return solved;
        if (solved.kind === "unknown") isKnown = false;
        else connection = { ...connection, ...solved.value };
      }
      return isKnown ? { kind: "found", value: connection } : { kind: "unknown" };
    },
  };
}

function insert(sorted: readonly number[], value: number): readonly number[] {
  const at = sorted.findIndex((other) => other > value);
  return at === -1 ? [...sorted, value] : [...sorted.slice(0, at), value, ...sorted.slice(at)];
}
