/**
 * The plain reading for many connections and a few keywords: the same walk as `evaluate`, without the keywords and
 * blocks that are not asked for. Like it, it shares nothing with the search.
 */
import { type Keyword, lookUpKeyword } from "../../grammar/keywords.ts";
import type { PatternItem } from "../../grammar/patterns.ts";
import { atLeast, type Release } from "../../grammar/release.ts";
import { onceFor, remember } from "../../grammar/remember.ts";
import type { Config, Directive, MatchBlock } from "../config/config.ts";
import { effectiveLines } from "../config/keyword-lines.ts";
import type { Connection } from "./connection.ts";
import { criterionHolds, evaluate, isAnswer, takesMatch } from "./evaluate.ts";
import { chooseValues } from "./first-value.ts";
import { asksFor } from "./specification.ts";

export interface ReadSetting {
  readonly values: readonly string[];
  /** the lines that give the values; empty: the default */
  readonly decidedBy: readonly Directive[];
}

export interface Reader {
  /** null: sshd has no answer for the connection, it ends it; or the keyword is unknown to the release */
  read(connection: Connection, keyword: string): ReadSetting | null;
}

/** One for each configuration: for a long file its index is large. */
export const readerOf: (config: Config) => Reader = onceFor((config) => {
  // only these can end a connection in the second pass, and then the order of all lines counts
  const mayEnd = config.later.length > 0 || asksFor(config, "rdomain") || !atLeast(config.release, "8.4");
  return mayEnd ? fullReader(config) : quickReader(config);
});

function fullReader(config: Config): Reader {
  const known = new WeakMap<Connection, ReturnType<typeof evaluate>>();
  return {
    read: (connection, keyword) => {
      const effective = known.get(connection) ?? evaluate(config, connection);
      known.set(connection, effective);
      return isAnswer(effective) ? (effective.get(keyword) ?? null) : null;
    },
  };
}

function quickReader(config: Config): Reader {
  const entries = makeEntries(config);
  const readers = new Map<string, KeywordReader | null>();
  return {
    read: (connection, key) => {
      const known = readers.get(key);
      if (known !== undefined) return known === null ? null : known(connection);
      const { keyword } = lookUpKeyword(key, config.release);
      const lines = keyword === null ? [] : effectiveLines(config, keyword.key);
      const made =
        keyword === null || lines.length === 0
          ? unsetReader(key, config.release)
          : keywordReader(keyword, inAndOutOfBlocks(lines, entries), config.release);
      readers.set(key, made);
      return made === null ? null : made(connection);
    },
  };
}

type KeywordReader = (connection: Connection) => ReadSetting;

/** Of a keyword that no line sets; null: the release has none of this name. */
const unsetReader = remember((key, release): KeywordReader | null => {
  const { keyword } = lookUpKeyword(key, release);
  return keyword === null ? null : keywordReader(keyword, noLines(), release);
});

function keywordReader(keyword: Keyword, lines: Lines, release: Release): KeywordReader {
  const choose = (matching: readonly Directive[]): ReadSetting =>
    chooseValues(keyword, matching, lines.global) ?? { values: keyword.defaults ?? [], decidedBy: [] };
  const global = choose([]);
  const { guarded } = lines;
  if (guarded === null || !takesMatch(keyword, release)) return () => global;
  if (!isFirstOnly(keyword)) return (connection) => choose(matchingLines(guarded, keyword, connection));
  // the line alone is remembered: there may be a setting for each of a hundred thousand connections
  const known = new Map<Connection, Directive | null>();
  return (connection) => {
    let line = known.get(connection);
    if (line === undefined) {
      [line = null] = matchingLines(guarded, keyword, connection);
      known.set(connection, line);
    }
    return line === null ? global : choose([line]);
  };
}

function isFirstOnly({ sets }: Keyword): boolean {
  return sets === "first" || sets === "first-line";
}

type Test = (connection: Connection) => boolean;

interface Line {
  readonly directive: Directive;
  readonly entry: Entry;
}

/** What it takes to enter the blocks around a line; all of it must hold. */
interface Entry {
  /** nobody but these users can be meant; null: no list of plain names says so */
  readonly users: readonly string[] | null;
  /** lists of plain group names */
  readonly groups: readonly Numbers[];
  readonly tests: readonly Test[];
}

/** Of a list of plain names: each name as a number, ascending. */
interface Numbers {
  readonly named: readonly number[];
  readonly vetoed: readonly number[];
}

/** Lines inside blocks. */
interface Guarded {
  readonly lines: Line[];
  /** positions of those for these users alone, by user */
  readonly ofUser: Map<string, number[]>;
  /** positions of all others */
  readonly ofAnybody: number[];
  /** a number for each group that lists name */
  readonly groupNumbers: ReadonlyMap<string, number>;
}

interface Lines {
  /** null: none is, as in most files */
  guarded: Guarded | null;
  /** what the first pass takes */
  readonly global: Directive[];
}

const noLines = (): Lines => ({ guarded: null, global: [] });

/** The blocks of a configuration, each compiled once. */
interface Entries {
  readonly of: (block: MatchBlock) => Entry;
  readonly groupNumbers: Map<string, number>;
}

function makeEntries({ release }: Config): Entries {
  const entries = new Map<MatchBlock, Entry>();
  const groupNumbers = new Map<string, number>();
  return {
    groupNumbers,
    of: (block) => {
      const known = entries.get(block) ?? compileBlock(block, release, groupNumbers);
      entries.set(block, known);
      return known;
    },
  };
}

function inAndOutOfBlocks(all: readonly Directive[], entries: Entries): Lines {
  const lines = noLines();
  for (const directive of all) {
    const { guards, atStart } = directive;
    if (atStart) lines.global.push(directive);
    const [only] = guards;
    if (only === undefined) continue;
    const entry = guards.length === 1 ? entries.of(only) : joined(guards.map(entries.of));
    const { groupNumbers } = entries;
    lines.guarded ??= { lines: [], ofUser: new Map(), ofAnybody: [], groupNumbers };
    addGuarded(lines.guarded, directive, entry);
  }
  return lines;
}

function joined(entries: readonly Entry[]): Entry {
  const first = entries.find(({ users }) => users !== null);
  const tests = entries.flatMap((entry) => {
    if (entry === first || entry.users === null) return entry.tests;
    return [userTest({ named: entry.users, vetoed: [] }), ...entry.tests];
  });
  return { users: first?.users ?? null, groups: entries.flatMap(({ groups }) => groups), tests };
}

function addGuarded({ lines, ofUser, ofAnybody }: Guarded, directive: Directive, entry: Entry): void {
  const { users } = entry;
  const position = lines.push({ directive, entry }) - 1;
  if (users === null) ofAnybody.push(position);
  for (const user of users ?? []) {
    const positions = ofUser.get(user);
    if (positions === undefined) ofUser.set(user, [position]);
    else positions.push(position);
  }
}

/** Of a first-value keyword the first matching line is enough. */
function matchingLines(guarded: Guarded, keyword: Keyword, connection: Connection): Directive[] {
  const firstOnly = isFirstOnly(keyword);
  const matching: Directive[] = [];
  const { lines, ofUser, ofAnybody, groupNumbers } = guarded;
  const own = ofUser.get(connection.user ?? "") ?? [];
  const groups = numbersIn(connection.groups, groupNumbers);
  // both in the order of the file
  for (let ownAt = 0, anyAt = 0; ownAt < own.length || anyAt < ofAnybody.length; ) {
    const nextOwn = own[ownAt] ?? Number.POSITIVE_INFINITY;
    const nextAny = ofAnybody[anyAt] ?? Number.POSITIVE_INFINITY;
    if (nextOwn < nextAny) ownAt++;
    else anyAt++;
    const line = lines[Math.min(nextOwn, nextAny)];
    if (line === undefined || !isMet(line.entry, groups, connection)) continue;
    matching.push(line.directive);
    if (firstOnly) break;
  }
  return matching;
}

const NO_NUMBERS: readonly number[] = [];

/** Most files name no group. */
function numbersIn(
  groups: readonly string[] | null,
  known: ReadonlyMap<string, number>,
): readonly number[] | null {
  if (groups === null) return null;
  return known.size === 0 ? NO_NUMBERS : groups.flatMap((group) => known.get(group) ?? []);
}

/** Groups come first: they are compared quickly, and most connections fail there. */
function isMet(
  { groups: lists, tests }: Entry,
  groups: readonly number[] | null,
  connection: Connection,
): boolean {
  for (const { named, vetoed } of lists)
    if (groups === null || !isAmong(groups, named) || isAmong(groups, vetoed)) return false;
  for (const test of tests) if (!test(connection)) return false;
  return true;
}

/** One of the numbers is in a list in ascending order. */
function isAmong(numbers: readonly number[], ascending: readonly number[]): boolean {
  for (const number of numbers) {
    let low = 0;
    let high = ascending.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ascending[middle] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    if (ascending[low] === number) return true;
  }
  return false;
}

const NOBODY: Entry = { users: null, groups: [], tests: [() => false] };

function compileBlock(block: MatchBlock, release: Release, groupNumbers: Map<string, number>): Entry {
  if (block.lost || block.criteria.length === 0) return NOBODY;
  const quick: Test[] = [];
  const others: Test[] = [];
  const groups: Numbers[] = [];
  let users: readonly string[] | null = null;
  for (const criterion of block.criteria) {
    const isName = criterion.attribute === "user" || criterion.attribute === "group";
    const plain = isName ? namesOf(criterion.items) : null;
    if (plain === null) {
      // all else is asked as `evaluate` asks it
      const test: Test = (connection) => criterionHolds(criterion, connection, release) === true;
      (isName ? quick : others).push(test);
    } else if (criterion.attribute === "group") groups.push(numbersOf(plain, groupNumbers));
    else if (users !== null) quick.push(userTest(plain));
    else {
      users = plain.named;
      if (plain.vetoed.length > 0) quick.push(userTest(plain));
    }
  }
  return { users, groups, tests: quick.concat(others) };
}

/** Plain names of a list, each once. */
interface Names {
  readonly named: readonly string[];
  readonly vetoed: readonly string[];
}

function numbersOf({ named, vetoed }: Names, known: Map<string, number>): Numbers {
  const number = (name: string): number => {
    const found = known.get(name) ?? known.size;
    known.set(name, found);
    return found;
  };
  const inOrder = (names: readonly string[]): readonly number[] => names.map(number).sort((a, b) => a - b);
  return { named: inOrder(named), vetoed: inOrder(vetoed) };
}

function userTest({ named, vetoed }: Names): Test {
  const isNamed = among(named);
  const isVetoed = among(vetoed);
  return ({ user }) => user !== null && isNamed(user) && !isVetoed(user);
}

function among(names: readonly string[]): (name: string) => boolean {
  const [only] = names;
  if (names.length < 2) return (name) => name === only;
  const set = new Set(names);
  return (name) => set.has(name);
}

/** Null: a pattern is no plain name. */
function namesOf(items: readonly PatternItem[]): Names | null {
  const named: string[] = [];
  const vetoed: string[] = [];
  for (const { negated, pattern } of items) {
    if (pattern === "" || pattern.length > LONGEST_NAME || pattern.includes("*") || pattern.includes("?"))
      return null;
    (negated ? vetoed : named).push(pattern);
  }
  return { named: once(named), vetoed: once(vetoed) };
}

function once(names: readonly string[]): readonly string[] {
  return names.length < 2 ? names.slice() : [...new Set(names)];
}

/** Longer patterns have rules of their own (match.c). */
const LONGEST_NAME = 1000;
