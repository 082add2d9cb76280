/**
 * Is there a connection inside a box that no earlier guard catches? A lazy search: take a sample; where an earlier guard
 * catches it, split the box disjointly along that guard and go on. Work is counted, not timed.
 */
import type { Config, Criterion } from "../config/config.ts";
import { type Atoms, type Guard, internAtoms } from "./atoms.ts";
import { type Box, type Boxes, makeBoxes } from "./box.ts";
import type { Connection } from "./connection.ts";
import { type Holding, makeHolding, type Profile } from "./holding.ts";
import { compatibleGuards, makeOverlaps, type Overlaps } from "./overlap.ts";
import { type Existing, makeWorld } from "./worlds.ts";

/** A set of connections: inside all of `met`, caught by none of the guards `without`. */
export interface Scope {
  readonly met: ReadonlySet<number>;
  readonly box: Box;
  readonly without: readonly Guard[];
}

export type SearchResult =
  | { readonly kind: "witness"; readonly connection: Connection; readonly caught: ReadonlySet<Guard> }
  /** `caught`: the guards that were met on the way */
  | { readonly kind: "none"; readonly caught: ReadonlySet<Guard> }
  | { readonly kind: "unknown"; readonly caught: ReadonlySet<Guard> };

/** Effort: real files need under 50 steps a question. */
export interface Budget {
  readonly stepsPerQuestion: number;
  stepsLeft: number;
}

export interface Searcher {
  readonly atoms: Atoms;
  readonly holding: Holding;
  readonly overlaps: Overlaps;
  readonly boxes: Boxes;
  readonly budget: Budget;
  readonly everywhere: Scope;
}

const STEPS_PER_QUESTION = 3000;
const STEPS_IN_ALL = 100_000;

/** Over the criteria of one configuration, or of two that are compared, and of further sets of connections. */
export function makeSearcher(
  configs: readonly Config[],
  existing: Existing,
  sets: readonly (readonly Criterion[])[] = [],
): Searcher {
  const atoms = internAtoms(configs, sets);
  const holding = makeHolding(atoms.list);
  const boxes = makeBoxes(atoms.list, makeWorld(atoms.list, holding, existing));
  return {
    atoms,
    holding,
    overlaps: makeOverlaps(atoms.list, holding),
    boxes,
    budget: { stepsPerQuestion: STEPS_PER_QUESTION, stepsLeft: STEPS_IN_ALL },
    everywhere: { met: new Set(), box: boxes.everywhere, without: [] },
  };
}

export function search(searcher: Searcher, scope: Scope): SearchResult {
  const { boxes, budget, holding, atoms } = searcher;
  const caught = new Set<Guard>();
  const stack: Box[] = [scope.box];
  let sawUnknown = false;
  for (let steps = 0; stack.length > 0; steps++) {
    // the first look at a question is always affordable
    if (steps >= budget.stepsPerQuestion || (steps > 0 && budget.stepsLeft <= 0))
      return { kind: "unknown", caught };
    budget.stepsLeft--;
    const box = stack.pop() ?? scope.box;
    const sampled = boxes.sample(box);
    if (sampled.kind === "unknown") sawUnknown = true;
    if (sampled.kind !== "found") continue;
    const profile = holding.profileOf(sampled.value);
    const guard = scope.without.find((earlier) => holdsFor(earlier, profile, atoms));
    if (guard === undefined) return { kind: "witness", connection: sampled.value, caught };
    caught.add(guard);
    stack.push(...split(boxes, box, guard));
  }
  return { kind: sawUnknown ? "unknown" : "none", caught };
}

export function holdsFor(guard: Guard, profile: Profile, { list }: Atoms): boolean {
  for (const atom of guard) {
    const attribute = list[atom]?.attribute;
    if (attribute === undefined || !profile[attribute].has(atom)) return false;
  }
  return true;
}

/** The part of a box outside a guard, as disjoint boxes: not c1 · c1 and not c2 · c1 and c2 and not c3 … */
function split(boxes: Boxes, box: Box, guard: Guard): Box[] {
  const parts: Box[] = [];
  let inside: Box | null = box;
  for (const atom of guard) {
    if (inside === null) break;
    const outside = boxes.withMissed(inside, atom);
    if (outside !== null) parts.push(outside);
    inside = boxes.withMet(inside, atom);
  }
  return parts.reverse();
}

/** Both the scope and the guard. */
export function within({ boxes, atoms, overlaps }: Searcher, scope: Scope, guard: Guard): Scope {
  const added = guard.filter((atom) => !scope.met.has(atom));
  if (added.length === 0) return scope;
  const box = added.reduce((inner, atom) => boxes.withMet(inner, atom) ?? inner, scope.box);
  return {
    met: new Set([...scope.met, ...added]),
    box,
    without: compatibleGuards(scope.without, added, { list: atoms.list, overlaps }),
  };
}

export function outside(scope: Scope, guards: readonly Guard[]): Scope {
  return guards.length === 0 ? scope : { ...scope, without: [...scope.without, ...guards] };
}

export function contains(searcher: Searcher, scope: Scope, connection: Connection): boolean {
  const profile = searcher.holding.profileOf(connection);
  return (
    holdsFor([...scope.met], profile, searcher.atoms) &&
    !scope.without.some((guard) => holdsFor(guard, profile, searcher.atoms))
  );
}
