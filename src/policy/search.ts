/**
 * Is there a connection inside a scope? A lazy search: take a sample; where a guard that the scope leaves out catches it,
 * split the box disjointly along that guard and go on. Work is counted, not timed.
 */
import type { Config, Criterion, MatchBlock } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import { type Atoms, type Guard, internAtoms } from "./atoms.ts";
import { type Box, type Boxes, makeBoxes } from "./box.ts";
import { type Connection, usualRoutingDomain } from "./connection.ts";
import { type Demand, waysTo } from "./demand.ts";
import { type GuardSequence, makeSequence, NO_GUARDS } from "./guard-sequence.ts";
import { type Held, type Holding, holds, makeHolding } from "./holding.ts";
import { makeOverlaps } from "./overlap.ts";
import { type Existing, makeWorld, type Served } from "./worlds.ts";

/** A set of connections: all of `met` hold, and none of the guards that are left out. */
export interface Scope {
  readonly met: Guard;
  readonly without: readonly Exclusion[];
}

/** The guards of a sequence before a position. */
export interface Exclusion {
  readonly sequence: GuardSequence;
  readonly end: number;
}

/** `caught`: the guards that were met on the way */
export type SearchResult =
  | { readonly kind: "witness"; readonly connection: Connection; readonly caught: readonly Guard[] }
  | { readonly kind: "none"; readonly caught: readonly Guard[] }
  | { readonly kind: "unknown"; readonly caught: readonly Guard[] };

/** Effort: real files need under 50 steps a question. */
export interface Budget {
  readonly stepsPerQuestion: number;
  stepsLeft: number;
}

export interface Searcher {
  readonly atoms: Atoms;
  readonly holding: Holding;
  readonly boxes: Boxes;
  readonly budget: Budget;
  readonly everywhere: Scope;
  /** the same guards in the same order are the same sequence */
  sequenceOf(guards: readonly Guard[]): GuardSequence;
  /** the same questions where nobody but these accounts exists, or anybody (null); their work is counted anew */
  among(accounts: readonly Account[] | null): Searcher;
}

const STEPS_PER_QUESTION = 3000;
const STEPS_IN_ALL = 100_000;

function newBudget(): Budget {
  return { stepsPerQuestion: STEPS_PER_QUESTION, stepsLeft: STEPS_IN_ALL };
}

/** Over the criteria of one configuration, or of two that are compared, and of further sets of connections. */
export function makeSearcher(
  configs: readonly Config[],
  existing: Existing,
  sets: readonly (readonly Criterion[])[] = [],
): Searcher {
  const isPlain =
    existing.accounts === null && sets.length === 0 && configs.every(({ matches }) => matches.length === 0);
  const world = { ...existing, ...servedBy(configs) };
  if (!isPlain) return searcherOver(configs, world, sets);
  const key = `${world.namedHosts} ${world.rdomain}`;
  const known = PLAIN.get(key) ?? searcherOver([], world, []);
  PLAIN.set(key, known);
  return known;
}

/** Of all configurations without any Match, which ask about everybody and have no steps to count; by what their worlds differ in. */
const PLAIN = new Map<string, Searcher>();

function servedBy(configs: readonly Config[]): Served {
  return {
    rdomain: configs.some(({ release }) => usualRoutingDomain(release) !== null) ? "" : null,
    apart: !configs.every(endsApart),
  };
}

/**
 * From 8.1 on a `Match RDomain` that every connection is asked ends one without a routing domain (servconf.c
 * match_cfg_line, match_test_missing_fatal).
 */
function endsApart({ matches, release }: Config): boolean {
  const asks = ({ outer, lost, criteria }: MatchBlock): boolean =>
    outer.length === 0 && !lost && criteria.some(({ attribute }) => attribute === "rdomain");
  return usualRoutingDomain(release) !== null && matches.some(asks);
}

function searcherOver(
  configs: readonly Config[],
  world: Existing & Served,
  sets: readonly (readonly Criterion[])[],
): Searcher {
  const atoms = internAtoms(configs, sets);
  const holding = makeHolding(atoms.list);
  const overlaps = makeOverlaps(atoms.list, holding);
  const sequences = new Map<Guard | undefined, GuardSequence[]>();
  const boxesOf = (among: Existing & Served, earlier: Boxes | null): Boxes =>
    makeBoxes(atoms.list, makeWorld(atoms.list, holding, among), earlier);
  const searcher: Searcher = {
    atoms,
    holding,
    boxes: boxesOf(world, null),
    budget: newBudget(),
    everywhere: { met: [], without: [] },
    sequenceOf: (guards) => {
      if (guards.length === 0) return NO_GUARDS;
      const alike = sequences.get(guards[0]) ?? [];
      const known = alike.find((sequence) => areSame(sequence.guards, guards));
      if (known !== undefined) return known;
      const made = makeSequence(guards, atoms.list, overlaps);
      sequences.set(guards[0], [...alike, made]);
      return made;
    },
    among: (accounts) => {
      const earlier = accounts === world.accounts ? searcher.boxes : null;
      return { ...searcher, boxes: boxesOf({ ...world, accounts }, earlier), budget: newBudget() };
    },
  };
  return searcher;
}

/** The lines of one block have one guard. */
function areSame(some: readonly Guard[], others: readonly Guard[]): boolean {
  return some.length === others.length && some.every((guard, index) => guard === others[index]);
}

/** `demand`: what the connection must fulfil beside; default: nothing. */
export function search(searcher: Searcher, scope: Scope, demand: Demand | null = null): SearchResult {
  const { boxes, budget, holding } = searcher;
  // most questions catch nothing
  let caught: Set<Guard> | null = null;
  const stack: Box[] = [boxes.within(scope.met)];
  const ways: Iterator<Box>[] = [];
  let sawUnknown = false;
  for (let steps = 0; ; steps++) {
    const box = stack.pop() ?? nextOf(ways);
    if (box === undefined) return { kind: sawUnknown ? "unknown" : "none", caught: listOf(caught) };
    // the first look at a question is always affordable
    if (steps > 0 && (steps >= budget.stepsPerQuestion || budget.stepsLeft-- <= 0))
      return { kind: "unknown", caught: listOf(caught) };
    const sampled = boxes.sample(box);
    if (sampled.kind === "unknown") sawUnknown = true;
    if (sampled.kind !== "found") continue;
    const held = holding.heldBy(sampled.value);
    const guard = catching(scope, held);
    if (guard !== null) {
      caught ??= new Set();
      caught.add(guard);
      stack.push(...boxes.outside(box, guard).reverse());
      continue;
    }
    const others = demand === null ? null : waysTo(demand, { box, held, boxes });
    if (others === null) return { kind: "witness", connection: sampled.value, caught: listOf(caught) };
    ways.push(others);
  }
}

const NOTHING: readonly Guard[] = [];

function listOf(caught: ReadonlySet<Guard> | null): readonly Guard[] {
  return caught === null ? NOTHING : [...caught];
}

/** There may be thousands of ways, and one of the first is mostly enough. */
function nextOf(ways: Iterator<Box>[]): Box | undefined {
  for (let last = ways.at(-1); last !== undefined; last = ways.at(-1)) {
    const { done, value } = last.next();
    if (done !== true) return value;
    ways.pop();
  }
  return undefined;
}

/** Seen without a search: a guard that is left out holds wherever the scope's own criteria do. */
export function isEmptyAtSight(scope: Scope): boolean {
  return catching(scope, [new Set(scope.met)]) !== null;
}

/** A guard that the scope leaves out and that holds; of each exclusion the first. */
function catching({ without }: Scope, held: Held): Guard | null {
  for (let at = 0; at < without.length; at++) {
    const exclusion = without[at];
    const position = exclusion?.sequence.firstHeld(held, exclusion.end) ?? -1;
    if (position !== -1) return exclusion?.sequence.guards[position] ?? null;
  }
  return null;
}

/** Both the scope and the guard. */
export function within(scope: Scope, guard: Guard): Scope {
  const { met, without } = scope;
  if (met.length === 0) return { met: guard, without };
  const added = guard.filter((atom) => !met.includes(atom));
  return added.length === 0 ? scope : { met: [...met, ...added].sort((a, b) => a - b), without };
}

/** The scope without the connections for which a guard before `end` holds. */
export function outside(scope: Scope, sequence: GuardSequence, end: number = sequence.guards.length): Scope {
  if (end === 0) return scope;
  const { met, without } = scope;
  const exclusion = { sequence, end };
  // an array that grows by one keeps room for sixteen more
  return { met, without: without.length === 0 ? [exclusion] : without.concat(exclusion) };
}

export function contains({ holding }: Searcher, scope: Scope, connection: Connection): boolean {
  const held = holding.heldBy(connection);
  return holds(scope.met, held) && catching(scope, held) === null;
}
