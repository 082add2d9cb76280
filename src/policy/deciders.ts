/** For one keyword: which lines decide inside a scope, each with the part of the scope it decides and a witness. */
import { lookUpKeyword } from "../../grammar/keywords.ts";
import type { Config, Directive } from "../config/config.ts";
import type { Guard } from "./atoms.ts";
import type { Connection } from "./connection.ts";
import { compatibleGuards, type GuardIndex, indexGuards } from "./overlap.ts";
import { outside, type Scope, type Searcher, search, within } from "./search.ts";

/** A line inside Match blocks that some connection may reach. */
export interface GuardedLine {
  readonly directive: Directive;
  readonly guard: Guard;
}

/** All that can decide a first-value keyword: any matching block beats every global line, and the first of each wins. */
export interface KeywordLines {
  readonly keyword: string;
  readonly guarded: readonly GuardedLine[];
  readonly index: GuardIndex;
  /** lines of a block that no connection can enter, whatever stands before them */
  readonly unreachable: readonly Directive[];
  readonly global: Directive | null;
  /** later global lines: they never count */
  readonly shadowedGlobals: readonly Directive[];
  readonly defaults: readonly string[];
}

/** Lines by keyword, without those that sshd refuses or that set nothing (`PermitOpen # all` up to 9.6). */
export function effectiveLines(config: Config): ReadonlyMap<string, readonly Directive[]> {
  const known = BY_KEYWORD.get(config);
  if (known !== undefined) return known;
  const lines = new Map<string, Directive[]>();
  for (const directive of config.directives) {
    if (directive.values === null || directive.values.length === 0) continue;
    const same = lines.get(directive.keyword);
    if (same === undefined) lines.set(directive.keyword, [directive]);
    else same.push(directive);
  }
  BY_KEYWORD.set(config, lines);
  return lines;
}

const BY_KEYWORD = new WeakMap<Config, ReadonlyMap<string, readonly Directive[]>>();

export function keywordLines(config: Config, keyword: string, searcher: Searcher): KeywordLines {
  const lines = effectiveLines(config).get(keyword) ?? [];
  const guarded: GuardedLine[] = [];
  const unreachable: Directive[] = [];
  for (const directive of lines) {
    if (directive.guards.length === 0) continue;
    const guard = searcher.atoms.guardOf(directive);
    if (guard !== null) guarded.push({ directive, guard });
    else if (!directive.atStart) unreachable.push(directive);
  }
  const globals = lines.filter(({ atStart, guards }) => atStart && (guards.length === 0 || isLost(guards)));
  return {
    keyword,
    guarded,
    index: indexGuards(
      guarded.map(({ guard }) => guard),
      { list: searcher.atoms.list, overlaps: searcher.overlaps },
    ),
    unreachable,
    global: globals[0] ?? null,
    shadowedGlobals: globals.slice(1),
    defaults: lookUpKeyword(keyword, config.release).keyword?.defaults ?? [],
  };
}

/** 8.2 and 8.3 read `Match all` of an included file as global text only. */
function isLost(guards: Directive["guards"]): boolean {
  return guards.at(-1)?.lost ?? false;
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
  for (const position of lines.index.compatible(scope.met)) {
    const line = lines.guarded[position];
    if (line === undefined) continue;
    const decision = decisionOf(searcher, line, { scope, earlier, lines });
    if (decision !== null) found.push(decision);
    earlier.push(line.guard);
    // a guard that covers the whole scope leaves nothing to later lines
    if (line.guard.every((atom) => scope.met.has(atom))) return found;
  }
  const rest = outside(scope, earlier);
  const result = search(searcher, rest);
  if (result.kind === "none") return found;
  const connection = result.kind === "witness" ? result.connection : null;
  return [...found, { ...globalChoice(lines), scope: rest, connection }];
}

interface Earlier {
  readonly scope: Scope;
  readonly earlier: readonly Guard[];
  readonly lines: KeywordLines;
}

function decisionOf(
  searcher: Searcher,
  { directive, guard }: GuardedLine,
  { scope, earlier, lines }: Earlier,
): Decision | null {
  const inner = within(searcher, scope, guard);
  const part = outside(inner, earlierThan(searcher, guard, { scope, earlier, lines }));
  const result = search(searcher, part);
  if (result.kind === "none") return null;
  const connection = result.kind === "witness" ? result.connection : null;
  return { directive, values: directive.values ?? [], scope: part, connection };
}

/** Over the whole policy the index of all lines is narrower than a look at each earlier one. */
function earlierThan(
  { atoms, overlaps }: Searcher,
  guard: Guard,
  { scope, earlier, lines }: Earlier,
): readonly Guard[] {
  if (scope.met.size > 0 || earlier.length < 8)
    return compatibleGuards(earlier, guard, { list: atoms.list, overlaps });
  return lines.index
    .compatible(guard)
    .filter((position) => position < earlier.length)
    .map((position) => lines.guarded[position]?.guard ?? []);
}

function globalChoice({ global, defaults }: KeywordLines): Pick<Decision, "directive" | "values"> {
  return { directive: global, values: global?.values ?? defaults };
}
