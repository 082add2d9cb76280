/**
 * The theory of names (user, group, host, routing domain): is there a text that gives each of some pattern lists a
 * wanted result? First cheap candidates, then a product automaton over just these lists, so that "none" is a proof.
 */
import { parseAddress } from "../../grammar/numeric-host.ts";
import { type ListMatch, matchPatternList, type PatternItem } from "../../grammar/patterns.ts";
import { type Found, found, NONE, UNKNOWN } from "./found.ts";
import { isWild } from "./holding.ts";
import { isMatched, keyOf, type Positions, startOf, step } from "./wildcard-steps.ts";

/** The results of match_pattern_list that are wanted: -1 a negated hit, 0 no hit, 1 a hit. */
export interface NameConstraint {
  readonly items: readonly PatternItem[];
  readonly wanted: readonly ListMatch[];
}

export interface NameDomain {
  /** tried first, in order */
  readonly nice: readonly string[];
  /** bytes that no such name holds */
  readonly forbidden: RegExp;
  /** "never": no text that is an address is such a name; default: it may be one */
  readonly numeric?: "never";
  readonly effort: Effort;
}

/** What is left for all questions of a run: steps from places in patterns through automata. */
export interface Effort {
  patternSteps: number;
}

/** Some questions at their limit; real files need none that gets there. */
export function fullEffort(): Effort {
  return { patternSteps: 5_000_000 };
}

const MAX_STATES = 5000;
/** lists with hundreds of wildcards get fewer states */
const MAX_PATTERN_STEPS = 1_000_000;
const MAX_INSTANCES = 64;

export function findName(given: readonly NameConstraint[], domain: NameDomain): Found<string> {
  const only = onlyName(given);
  if (only !== null) return isName(only, domain) ? found(only) : NONE;
  const constraints = given.map(({ items, wanted }) =>
    withoutOthers({ items: heeded(items), wanted }, domain),
  );
  if (areApart(constraints)) return NONE;
  const accepts = (name: string): boolean =>
    isName(name, domain) &&
    constraints.every(({ items, wanted }) => wanted.includes(matchPatternList(name, items)));
  const literals = constraints.find(isExhaustedByLiterals);
  const quick =
    literals === undefined
      ? (domain.nice.find(accepts) ?? candidates(constraints).find(accepts))
      : literalsOf(literals, domain).find(accepts);
  if (quick !== undefined) return found(quick);
  return literals === undefined ? searchAutomaton(constraints, domain) : NONE;
}

function isName(text: string, { forbidden, numeric }: NameDomain): boolean {
  return text !== "" && !forbidden.test(text) && !(numeric === "never" && parseAddress(text) !== null);
}

/** What most questions come to: one list must hit, and it is one plain name. */
function onlyName([constraint, ...others]: readonly NameConstraint[]): string | null {
  if (constraint === undefined || others.length > 0) return null;
  const { items, wanted } = constraint;
  const [item] = items;
  if (item === undefined || items.length > 1 || item.negated || wanted.length > 1 || wanted[0] !== 1)
    return null;
  return isWild(item.pattern) || item.pattern.length >= TOO_LONG ? null : item.pattern;
}

/** match_pattern_list gives up with "no match" at an item this long; only a negated item before it counts (match.c). */
const TOO_LONG = 1023;

export function heeded(items: readonly PatternItem[]): readonly PatternItem[] {
  const end = items.findIndex(({ pattern }) => pattern.length >= TOO_LONG);
  return end === -1 ? items : items.slice(0, end).filter(({ negated }) => negated);
}

/** Without plain items that are no such name, as an address is no name of a host: they match none. */
function withoutOthers({ items, wanted }: NameConstraint, domain: NameDomain): NameConstraint {
  const isKept = ({ pattern }: PatternItem): boolean => isWild(pattern) || isName(pattern, domain);
  return items.every(isKept) ? { items, wanted } : { items: items.filter(isKept), wanted };
}

/** More pairs of patterns than this are not compared. */
const MAX_PAIRS = 64;

/** Two lists that must both hit, and no text starts or ends as both want it: the proof needs no automaton. */
function areApart(constraints: readonly NameConstraint[]): boolean {
  if (constraints.length < 2) return false;
  const needed = constraints
    .filter(({ wanted }) => wanted.length === 1 && wanted[0] === 1)
    .map(({ items }) => items.flatMap(({ negated, pattern }) => (negated ? [] : [pattern])));
  return needed.some((some, index) =>
    needed
      .slice(index + 1)
      .some(
        (others) =>
          some.length * others.length <= MAX_PAIRS &&
          some.every((one) => others.every((other) => exclude(one, other))),
      ),
  );
}

function exclude(one: string, other: string): boolean {
  const [head, otherHead] = [headOf(one), headOf(other)];
  if (!head.startsWith(otherHead) && !otherHead.startsWith(head)) return true;
  const [tail, otherTail] = [tailOf(one), tailOf(other)];
  return !tail.endsWith(otherTail) && !otherTail.endsWith(tail);
}

function headOf(pattern: string): string {
  return /^[^*?]*/.exec(pattern)?.[0] ?? "";
}

function tailOf(pattern: string): string {
  return pattern.slice(Math.max(pattern.lastIndexOf("*"), pattern.lastIndexOf("?")) + 1);
}

/** A list that must hit and holds no positive wildcard: its literals were all tried. */
function isExhaustedByLiterals({ items, wanted }: NameConstraint): boolean {
  return (
    wanted.length === 1 &&
    ((wanted[0] === 1 && items.every(({ negated, pattern }) => negated || !isWild(pattern))) ||
      (wanted[0] === -1 && items.every(({ negated, pattern }) => !negated || !isWild(pattern))))
  );
}

/** Tried behind the nice ones. */
export const INVENTED_NAMES: readonly string[] = ["user1", "x7", "q0", "zz9"];

/** Invented words; literals that a list wants; instances of its wildcards. */
function candidates(constraints: readonly NameConstraint[]): readonly string[] {
  const names = [...INVENTED_NAMES];
  for (const { items, wanted } of constraints) {
    if (wanted.includes(0)) continue;
    const sign = wanted[0] === -1;
    const sought = items.filter(({ negated }) => negated === sign);
    names.push(...sought.filter(({ pattern }) => !isWild(pattern)).map(({ pattern }) => pattern));
    const wild = sought.filter(({ pattern }) => isWild(pattern)).slice(0, MAX_INSTANCES);
    for (const fill of ["", "x", "1", "alice"]) {
      names.push(...wild.map(({ pattern }) => pattern.replace(/\*+/g, fill).replace(/\?/g, "x")));
    }
  }
  return [...names, ...blends(constraints)];
}

/** The only names that such a list leaves, nice ones first. */
function literalsOf({ items, wanted }: NameConstraint, { nice }: NameDomain): readonly string[] {
  const sign = wanted[0] === -1;
  const names = items.flatMap(({ negated, pattern }) =>
    negated === sign && !isWild(pattern) ? [pattern] : [],
  );
  return names.length === 1 ? names : [...nice.filter((name) => names.includes(name)), ...names];
}

/** Two lists that must hit: the text of one pattern put into the other, as `ab` fits `a*` and `*b`. */
function blends(constraints: readonly NameConstraint[]): string[] {
  const [one = [], other = []] = constraints
    .filter(({ wanted }) => wanted.length === 1 && wanted[0] === 1)
    .map(({ items }) => items.filter(({ negated, pattern }) => !negated && isWild(pattern)).slice(0, 4));
  const put = (text: string, pattern: string): string =>
    pattern.replace("*", text.replace(/\*/g, "")).replace(/\*/g, "").replace(/\?/g, "x");
  return one.flatMap((a) => other.flatMap((b) => [put(a.pattern, b.pattern), put(b.pattern, a.pattern)]));
}

interface Machine {
  readonly patterns: readonly string[];
  readonly alphabet: readonly string[];
}

/** Of all patterns side by side. */
type States = readonly Positions[];

function searchAutomaton(constraints: readonly NameConstraint[], domain: NameDomain): Found<string> {
  const machine = buildMachine(constraints, domain);
  const start: States = machine.patterns.map(startOf);
  // not the start: it is the empty text, and a text may lead back to it
  const seen = new Set<string>();
  const { effort } = domain;
  const limit = Math.min(
    MAX_STATES,
    MAX_PATTERN_STEPS / (machine.patterns.length * machine.alphabet.length + 1),
  );
  let level: { readonly states: States; readonly text: string }[] = [{ states: start, text: "" }];
  let wasRefused = false;
  while (level.length > 0) {
    const next: { states: States; text: string }[] = [];
    for (const { states, text } of level) {
      if (effort.patternSteps <= 0) return UNKNOWN;
      effort.patternSteps -= machine.alphabet.length * states.reduce((sum, { length }) => sum + length, 1);
      for (const char of machine.alphabet) {
        const stepped = machine.patterns.map((pattern, index) => step(pattern, states[index] ?? [], char));
        const longer = text + char;
        // texts that lead to the same states are alike, but for those that may be an address
        const key = keyOf(stepped) + (domain.numeric === "never" && NUMERIC.test(longer) ? " 1" : "");
        if (seen.has(key)) continue;
        if (seen.size >= limit) return UNKNOWN;
        seen.add(key);
        if (isAccepted(constraints, machine, stepped)) {
          if (isName(longer, domain)) return found(longer);
          wasRefused = true;
        }
        next.push({ states: stepped, text: longer });
      }
    }
    level = next;
  }
  return wasRefused ? UNKNOWN : NONE;
}

/** What an IPv4 address may be written with (numeric-host.ts); names of hosts hold no colon. */
const NUMERIC = /^[0-9a-fx.]*$/i;

function buildMachine(constraints: readonly NameConstraint[], domain: NameDomain): Machine {
  const patterns = constraints.flatMap(({ items }) => items.map(({ pattern }) => pattern));
  const named = new Set(patterns.join(""));
  const isUsable = (char: string): boolean => !/[*?]/.test(char) && !domain.forbidden.test(char);
  // one byte that no pattern names stands for all others
  const isFresh = (char: string): boolean => !named.has(char) && isUsable(char);
  const other = [...OTHERS].find(isFresh) ?? anyByte().find(isFresh);
  return { patterns, alphabet: [...(other === undefined ? [] : [other]), ...[...named].filter(isUsable)] };
}

/** As they read best. */
const OTHERS = "xabcdefghijklmnopqrstuvwyz0123456789_-";

function anyByte(): readonly string[] {
  return Array.from({ length: 256 - 33 }, (_, index) => String.fromCharCode(33 + index));
}

function isAccepted(constraints: readonly NameConstraint[], machine: Machine, states: States): boolean {
  let index = 0;
  for (const { items, wanted } of constraints) {
    let result: ListMatch = 0;
    let isDecided = false;
    for (const { negated } of items) {
      const hit = isMatched(machine.patterns[index] ?? "", states[index] ?? []);
      index++;
      if (isDecided) continue;
      if (hit) {
        result = negated ? -1 : 1;
        isDecided = negated;
      }
    }
    if (!wanted.includes(result)) return false;
  }
  return true;
}
