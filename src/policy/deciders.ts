/** For one keyword: which lines decide inside a scope, each with the part of the scope it decides and a witness. */
import { lookUpKeyword } from "../../grammar/keywords.ts";
import { remember } from "../../grammar/remember.ts";
import type { Config, Directive } from "../config/config.ts";
import { effectiveLines } from "../config/keyword-lines.ts";
import type { Decider } from "./answer.ts";
import type { Guard } from "./atoms.ts";
import type { Connection } from "./connection.ts";
import { type GuardSequence, NO_GUARDS } from "./guard-sequence.ts";
import {
  isEmptyAtSight,
  outside,
  type Scope,
  type Searcher,
  type SearchResult,
  search,
  within,
} from "./search.ts";

/** What gives a keyword its value, as one text and item by item. */
export type Choice = Decider & { readonly values: readonly string[] };

/** All that can decide a first-value keyword: any matching block beats every global line, and the first of each wins. */
export interface KeywordLines {
  readonly keyword: string;
  /** lines inside Match blocks that some connection may reach, in order */
  readonly guarded: readonly (Choice & { readonly directive: Directive })[];
  /** their guards */
  readonly sequence: GuardSequence;
  /** the global line, or the default */
  readonly otherwise: Choice;
  /** lines of a block that no connection can enter, whatever stands before them */
  readonly unreachable: readonly Directive[];
  /** later global lines: they never count */
  readonly shadowedGlobals: readonly Directive[];
}

/** Global only, first value wins; the default is no in every release from 7.4 on. */
export function usesDns(config: Config): boolean {
  const line = effectiveLines(config, "usedns").find(({ atStart }) => atStart);
  return line?.values?.[0] === "yes";
}

export function keywordLines(config: Config, keyword: string, searcher: Searcher): KeywordLines {
  const lines = effectiveLines(config, keyword);
  if (lines.length === 0) return unsetLines(keyword, config.release);
  const guarded: KeywordLines["guarded"][number][] = [];
  const guards: Guard[] = [];
  const unreachable: Directive[] = [];
  const globals: Directive[] = [];
  for (const directive of lines) {
    if (directive.atStart && (directive.guards.length === 0 || isLost(directive.guards)))
      globals.push(directive);
    if (directive.guards.length === 0) continue;
    const guard = searcher.atoms.guardOf(directive);
    if (guard !== null) {
      const values = directive.values ?? [];
      guarded.push({ keyword, value: values.join(" "), values, directive });
      guards.push(guard);
    } else if (!directive.atStart) unreachable.push(directive);
  }
  const global = globals[0] ?? null;
  const shadowedGlobals = globals.slice(1);
  const defaults = lookUpKeyword(keyword, config.release).keyword?.defaults ?? [];
  const sequence = searcher.sequenceOf(guards);
  const values = global?.values ?? defaults;
  const otherwise = { keyword, value: values.join(" "), values, directive: global };
  return { keyword, guarded, sequence, otherwise, unreachable, shadowedGlobals };
}

/** Of a keyword that a configuration does not set, as most do with most that are asked about. */
const unsetLines = remember((keyword, release): KeywordLines => {
  const values = lookUpKeyword(keyword, release).keyword?.defaults ?? [];
  const otherwise = { keyword, value: values.join(" "), values, directive: null };
  return { keyword, guarded: [], sequence: NO_GUARDS, otherwise, unreachable: [], shadowedGlobals: [] };
});

/** 8.2 and 8.3 read `Match all` of an included file as global text only. */
function isLost(guards: Directive["guards"]): boolean {
  return guards.at(-1)?.lost ?? false;
}

/** Of a scope, what the guard at `position` decides; behind the last guard: what none of them does. */
export interface Part {
  readonly position: number;
  readonly scope: Scope;
  /** null: the effort limit was met before a witness was found */
  readonly connection: Connection | null;
  /** earlier guards met on the way to "unknown" */
  readonly caught: readonly Guard[];
}

/** A scope cut up by guards in order, the first that holds deciding. */
export interface Partition {
  /** those that hold a connection, or may, ascending */
  readonly parts: readonly Part[];
  /** everywhere: positions that decide nothing, with the earlier guards that are to blame */
  readonly shadowed: ReadonlyMap<number, readonly Guard[]>;
}

export function choiceAt({ guarded, otherwise }: KeywordLines, { position }: Part): Choice {
  return guarded[position] ?? otherwise;
}

/** `known`: a connection in the scope. */
export function partition(
  searcher: Searcher,
  sequence: GuardSequence,
  scope: Scope,
  known: Connection | null,
): Partition {
  const { guards } = sequence;
  const all = guards.length;
  if (all === 0)
    return { parts: [{ position: 0, scope, connection: known, caught: NOBODY }], shadowed: NOTHING };
  const settled = settledPosition(sequence, scope);
  if (settled !== null && known !== null)
    return {
      parts: [{ position: settled, scope, connection: known, caught: NOBODY }],
      shadowed: NOTHING,
    };
  const cut: Cut = { parts: [], shadowed: new Map() };
  const held = known === null ? null : searcher.holding.heldBy(known);
  const first = held === null ? null : sequence.firstHeld(held, all);
  const deciding = first === -1 ? all : first;
  // guards that cannot meet the scope need not be left out
  let end = 0;
  const add = (position: number, inner: Scope): void => {
    const part = outside(inner, sequence, end);
    if (position === deciding) cut.parts.push({ position, scope: part, connection: known, caught: NOBODY });
    // everywhere it is told which lines are to blame, and that takes the search
    else if (scope === searcher.everywhere || !isEmptyAtSight(part))
      addSearched(cut, { position, scope: part }, search(searcher, part));
    end = position + 1;
  };
  for (const position of sequence.meeting(scope.met, all)) {
    const inner = within(scope, guards[position] ?? []);
    add(position, inner);
    // a guard that covers the whole scope leaves nothing to later ones
    if (inner === scope) return cut;
  }
  add(all, scope);
  return cut;
}

const NOBODY: readonly Guard[] = [];
const NOTHING: Partition["shadowed"] = new Map();

/** The one guard that decides in all of the scope, because it came out of the same guards; null: not at sight. */
function settledPosition(sequence: GuardSequence, { met, without }: Scope): number | null {
  if (sequence.guards.length === 0) return 0;
  const cut = without.find((exclusion) => exclusion.sequence === sequence);
  if (cut === undefined) return null;
  const guard = sequence.guards[cut.end];
  return guard === undefined || guard.every((atom) => met.includes(atom)) ? cut.end : null;
}

interface Cut {
  readonly parts: Part[];
  readonly shadowed: Map<number, readonly Guard[]>;
}

function addSearched(
  { parts, shadowed }: Cut,
  { position, scope }: Pick<Part, "position" | "scope">,
  result: SearchResult,
): void {
  const { kind, caught } = result;
  if (kind === "none") shadowed.set(position, caught);
  else if (kind === "unknown") parts.push({ position, scope, connection: null, caught });
  else parts.push({ position, scope, connection: result.connection, caught: NOBODY });
}
