/**
 * Distinct criteria as numbers. A guard (the Match lines around a directive) becomes a sorted list of these numbers, so
 * that the search compares and remembers numbers, not text.
 */

import type { AddressItem } from "../../grammar/addresses.ts";
import { lowerAscii } from "../../grammar/ascii.ts";
import { matchPatternList, type PatternItem, patternShape } from "../../grammar/patterns.ts";
import { atLeast, NEWEST, type Release, versionText } from "../../grammar/release.ts";
import { INVALID_USER_FITS_ALL, isReadWith } from "../../grammar/release-bugs.ts";
import type { Config, Criterion, Directive, MatchBlock } from "../config/config.ts";

/**
 * A criterion that depends on the connection. Its patterns are spelled out for the newest release, and host patterns
 * in lower case (match.c match_hostname), so that configurations of two releases can be compared.
 */
export type Atom = Exclude<Criterion, { readonly attribute: "all" | "version" | "rdomain" }>;

/** A conjunction of criteria, sorted: what a line's Match blocks demand. */
export type Guard = readonly number[];

export interface Atoms {
  readonly list: readonly Atom[];
  /** each atom in one spelling: "user deploy,!bob"; equal ones mean the same */
  readonly keys: readonly string[];
  /** null: no connection can fulfil it */
  guardOf(directive: Pick<Directive, "guards">): Guard | null;
  /** the guard of one of `sets`; null: no connection can fulfil it */
  guardOfSet(criteria: readonly Criterion[]): Guard | null;
}

/** `sets`: conjunctions of criteria from elsewhere that are to be compared with those of the configurations. */
export function internAtoms(configs: readonly Config[], sets: readonly (readonly Criterion[])[] = []): Atoms {
  const list: Atom[] = [];
  const keys: string[] = [];
  const byKey = new Map<string, number>();
  const guards = new Map<MatchBlock, Guard | null>();
  const ofSets = new Map<readonly Criterion[], Guard | null>();
  const intern = (criterion: Atom, release: Release): number => {
    const atom = spelledOut(criterion, release);
    const key = keyOf(atom);
    const known = byKey.get(key);
    if (known !== undefined) return known;
    byKey.set(key, list.length);
    list.push(atom);
    keys.push(key);
    return list.length - 1;
  };
  // outer blocks come before the blocks inside them
  for (const { matches, release } of configs)
    for (const block of matches) guards.set(block, guardOfBlock(block, release, { intern, guards }));
  for (const criteria of sets) ofSets.set(criteria, guardOfCriteria(criteria, NEWEST, intern));
  return {
    list,
    keys,
    guardOfSet: (criteria) => ofSets.get(criteria) ?? null,
    guardOf: ({ guards: blocks }) => {
      const block = blocks.at(-1);
      return block === undefined ? [] : (guards.get(block) ?? null);
    },
  };
}

interface Interning {
  readonly intern: (criterion: Atom, release: Release) => number;
  readonly guards: ReadonlyMap<MatchBlock, Guard | null>;
}

function guardOfBlock(block: MatchBlock, release: Release, { intern, guards }: Interning): Guard | null {
  if (block.lost || block.criteria.length === 0) return null;
  const own = guardOfCriteria(block.criteria, release, intern);
  if (own === null || block.outer.length === 0) return own;
  const atoms = new Set(own);
  for (const outer of block.outer) {
    const around = guards.get(outer) ?? null;
    if (around === null) return null;
    for (const atom of around) atoms.add(atom);
  }
  return [...atoms].sort((a, b) => a - b);
}

function guardOfCriteria(
  criteria: readonly Criterion[],
  release: Release,
  intern: Interning["intern"],
): Guard | null {
  const atoms: number[] = [];
  for (const criterion of criteria) {
    const reduced = reduce(criterion, release);
    if (reduced === false) return null;
    const atom = reduced === true ? undefined : intern(reduced, release);
    if (atom !== undefined && !atoms.includes(atom)) atoms.push(atom);
  }
  // a copy has no room that is never used
  return atoms.toSorted((a, b) => a - b);
}

/** True and false are criteria that need no connection. */
function reduce(criterion: Criterion, release: Release): Atom | boolean {
  switch (criterion.attribute) {
    case "all":
      return true;
    case "version":
      return matchPatternList(versionText(release), criterion.items, release) === 1;
    case "rdomain":
      // Linux without VRF: since 8.1 the routing domain is the empty text, before it is unknown (semantics 5.4)
      return atLeast(release, "8.1") && matchPatternList("", criterion.items, release) === 1;
    case "invalid-user":
      return isReadWith(INVALID_USER_FITS_ALL, release) ? true : criterion;
    default:
      return criterion;
  }
}

function spelledOut(atom: Atom, release: Release): Atom {
  // only the shape of patterns differs (patternShape), and only up to 8.4
  if (atom.attribute !== "host" && atLeast(release, "8.5")) return atom;
  switch (atom.attribute) {
    case "user":
    case "group":
      return { ...atom, items: atom.items.map((item) => shaped(item, release)) };
    case "host":
      return {
        ...atom,
        items: atom.items.map((item) => ({ ...item, pattern: lowerAscii(shaped(item, release).pattern) })),
      };
    case "address":
    case "localaddress":
      return {
        ...atom,
        items: atom.items.map((item) => shapedAddress(item, release)),
      };
    default:
      return atom;
  }
}

function shaped({ negated, pattern }: PatternItem, release: Release): PatternItem {
  return { negated, pattern: patternShape(pattern, release) };
}

export function shapedAddress(item: AddressItem, release: Release): AddressItem {
  return item.kind === "text" ? { ...item, ...shaped(item, release) } : item;
}

function keyOf(atom: Atom): string {
  switch (atom.attribute) {
    case "invalid-user":
      return atom.attribute;
    case "localport":
      return `localport ${atom.port}`;
    case "address":
    case "localaddress":
      return `${atom.attribute} ${atom.items.map(addressItemKey).join()}`;
    default:
      return `${atom.attribute} ${atom.items.map(nameItemKey).join()}`;
  }
}

/** Lists of who may log in take `!` and `,` as they stand, where those of Match have items of their own for them. */
function nameItemKey({ negated, pattern }: PatternItem): string {
  if (negated) return `!${pattern}`;
  return /^["!]|,/.test(pattern) ? JSON.stringify(pattern) : pattern;
}

function addressItemKey(item: AddressItem): string {
  const sign = item.negated ? "!" : "";
  if (item.kind === "text") return sign + item.pattern;
  if (item.kind === "invalid") return `${sign}invalid ${item.text}`;
  const { bytes, length, scope } = item.network;
  return `${sign}${bytes.join(".")}/${length}%${scope}`;
}
