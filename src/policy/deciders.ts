/** For one keyword: which lines decide inside a scope, each with the part of the scope it decides and a witness. */
import { lookUpKeyword } from "../../grammar/keywords.ts";
import type { Config, Directive } from "../config/config.ts";
import type { Atoms } from "./atoms.ts";
import type { Connection } from "./connection.ts";
import { type Guard, outside, type Scope, type Searcher, search, within } from "./search.ts";

/** A line inside Match blocks that some connection may reach. */
export interface GuardedLine {
  readonly directive: Directive;
  readonly guard: Guard;
}

/** All that can decide a first-value keyword: any matching block beats every global line, and the first of each wins. */
export interface KeywordLines {
  readonly keyword: string;
  readonly guarded: readonly GuardedLine[];
  /** lines of a block that no connection can enter, whatever stands before them */
  readonly unreachable: readonly Directive[];
  readonly global: Directive | null;
  /** later global lines: they never count */
  readonly shadowedGlobals: readonly Directive[];
  readonly defaults: readonly string[];
}

export function keywordLines(config: Config, keyword: string, atoms: Atoms): KeywordLines {
  const lines = config.directives.filter((line) => line.keyword === keyword && line.values !== null);
  const guarded: GuardedLine[] = [];
  const unreachable: Directive[] = [];
  for (const directive of lines) {
    if (directive.guards.length === 0) continue;
    const guard = atoms.guardOf(directive);
    if (guard === null) unreachable.push(directive);
    else guarded.push({ directive, guard });
  }
  const globals = lines.filter(
    ({ atStart, guards }) => atStart && (guards.length === 0 || isLost(guards.at(-1))),
  );
  return {
    keyword,
    guarded,
    unreachable: unreachable.filter((directive) => !globals.includes(directive)),
    global: globals[0] ?? null,
    shadowedGlobals: globals.slice(1),
    defaults: lookUpKeyword(keyword, config.release).keyword?.defaults ?? [],
  };
}

/** 8.2 and 8.3 read `Match all` of an included file as global text only. */
function isLost(block: Directive["guards"][number] | undefined): boolean {
  return block?.lost ?? false;
}

export interface Decision {
  /** null: the default */
  readonly directive: Directive | null;
  readonly values: readonly string[];
  /** the part of the scope that it decides */
  readonly scope: Scope;
  /** null: the effort limit was met before a witness was found */
  readonly connection: Connection | null;
}

/** The lines that decide somewhere in the scope, in order, the global line or the default last. */
export function decisions(
  searcher: Searcher,
  lines: KeywordLines,
  scope: Scope,
  known: Connection | null,
): Decision[] {
  if (lines.guarded.length === 0) return [{ ...globalChoice(lines), scope, connection: known }];
  const found: Decision[] = [];
  const earlier: Guard[] = [];
  for (const { directive, guard } of lines.guarded) {
    const inner = within(scope, guard);
    if (inner === null || !compatible(searcher, scope, guard)) continue;
    const part = outside(inner, earlier);
    const result = search(searcher, part);
    if (result.kind !== "none") {
      const connection = result.kind === "witness" ? result.connection : null;
      found.push({ directive, values: directive.values ?? [], scope: part, connection });
    }
    // a guard that covers the whole scope leaves nothing to later lines
    if (inner === scope) return found;
    earlier.push(guard);
  }
  const rest = outside(scope, earlier);
  const result = search(searcher, rest);
  if (result.kind === "none") return found;
  const connection = result.kind === "witness" ? result.connection : null;
  return [...found, { ...globalChoice(lines), scope: rest, connection }];
}

function globalChoice({ global, defaults }: KeywordLines): Pick<Decision, "directive" | "values"> {
  return { directive: global, values: global?.values ?? defaults };
}

/** Cheap and remembered: two criteria of one attribute that exclude each other, as two users do. */
function compatible(searcher: Searcher, scope: Scope, guard: Guard): boolean {
  const { list } = searcher.atoms;
  for (const atom of guard) {
    for (const other of scope.met) {
      if (atom === other || list[atom]?.attribute !== list[other]?.attribute) continue;
      if (searcher.sample({ met: new Set([atom, other]), missed: new Set() }).kind === "none") return false;
    }
  }
  return true;
}
