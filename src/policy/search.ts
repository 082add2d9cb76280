/**
 * Is there a connection inside a box that no earlier guard catches? A lazy search: take a sample; where an earlier guard
 * catches it, split the box disjointly along that guard and go on. Work is counted, not timed.
 */
import type { Atoms } from "./atoms.ts";
import type { Box, Sampler } from "./box.ts";
import type { Connection } from "./connection.ts";

/** A conjunction of criteria: what a line's Match blocks demand. */
export type Guard = readonly number[];

/** A set of connections: inside all of `met`, outside each of `missed`, caught by none of the guards `without`. */
export interface Scope {
  readonly met: ReadonlySet<number>;
  readonly missed: ReadonlySet<number>;
  readonly without: readonly Guard[];
}

export type SearchResult =
  /** `caught`: positions in `without` of the guards that were met on the way */
  | { readonly kind: "witness"; readonly connection: Connection; readonly caught: ReadonlySet<number> }
  | { readonly kind: "none"; readonly caught: ReadonlySet<number> }
  | { readonly kind: "unknown"; readonly caught: ReadonlySet<number> };

/** Effort: real files need under 50 steps a question. */
export interface Budget {
  readonly stepsPerQuestion: number;
  stepsLeft: number;
}

export const EVERYWHERE: Scope = { met: new Set(), missed: new Set(), without: [] };

export function makeBudget(): Budget {
  return { stepsPerQuestion: 3000, stepsLeft: 400_000 };
}

export interface Searcher {
  readonly atoms: Atoms;
  readonly sample: Sampler;
  readonly budget: Budget;
}

export function search(searcher: Searcher, scope: Scope): SearchResult {
  const { atoms, sample, budget } = searcher;
  const caught = new Set<number>();
  const stack: Box[] = [{ met: scope.met, missed: scope.missed }];
  let sawUnknown = false;
  for (let steps = 0; stack.length > 0; steps++) {
    if (steps >= budget.stepsPerQuestion || budget.stepsLeft <= 0) return { kind: "unknown", caught };
    budget.stepsLeft--;
    const box = stack.pop();
    if (box === undefined) break;
    const sampled = sample(box);
    if (sampled.kind === "unknown") sawUnknown = true;
    if (sampled.kind !== "found") continue;
    const connection = sampled.value;
    const index = scope.without.findIndex((guard) => guard.every((atom) => atoms.holds(atom, connection)));
    if (index === -1) return { kind: "witness", connection, caught };
    caught.add(index);
    stack.push(...split(box, scope.without[index] ?? []));
  }
  return { kind: sawUnknown ? "unknown" : "none", caught };
}

/** The part of a box outside a guard, as disjoint boxes: not c1 · c1 and not c2 · c1 and c2 and not c3 … */
function split(box: Box, guard: Guard): Box[] {
  const boxes: Box[] = [];
  const met = new Set(box.met);
  for (const atom of guard) {
    if (met.has(atom)) continue;
    if (box.missed.has(atom)) break;
    boxes.push({ met: new Set(met), missed: new Set([...box.missed, atom]) });
    met.add(atom);
  }
  return boxes.reverse();
}

/** Both the scope and the guard; null where they exclude each other at sight. */
export function within(scope: Scope, guard: Guard): Scope | null {
  if (guard.some((atom) => scope.missed.has(atom))) return null;
  const isInside = guard.every((atom) => scope.met.has(atom));
  return isInside ? scope : { ...scope, met: new Set([...scope.met, ...guard]) };
}

export function outside(scope: Scope, guards: readonly Guard[]): Scope {
  return guards.length === 0 ? scope : { ...scope, without: [...scope.without, ...guards] };
}
