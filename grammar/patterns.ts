/** Wildcard patterns and their lists: OpenSSH match.c. */
import { lowerAscii } from "./ascii.ts";
import { NEWEST, type Release } from "./release.ts";
import { GREEDY_STARS, isReadWith } from "./release-bugs.ts";

/** `pattern` without its leading `!`; `*` and `?` are wild, nothing else is (match.c match_pattern). */
export interface PatternItem {
  readonly negated: boolean;
  readonly pattern: string;
}

/** -1: a negated item matches · 1: a positive item matches and no negated one · 0: nothing matches. */
export type ListMatch = -1 | 0 | 1;

/** An item of this many bytes or more makes match_pattern_list give up with "no match" (its buffer is 1024). */
const ITEM_LIMIT = 1023;

const STAR = 0x2a;
const QUESTION = 0x3f;

/**
 * match.c match_pattern, in at most text × pattern steps. Up to 8.4 two or more `*` at the end need one more byte
 * (`a**` does not match `a`): the loop over the rest of the text never tries the empty rest.
 */
export function matchPattern(text: string, pattern: string, release: Release = NEWEST): boolean {
  // most pairs differ in their first byte
  const first = pattern.charCodeAt(0);
  if (first !== text.charCodeAt(0) && first !== STAR && first !== QUESTION && text !== "" && pattern !== "")
    return false;
  const shape = patternShape(pattern, release);
  let at = 0;
  let in_ = 0;
  let starIn = -1;
  let starAt = 0;
  while (at < text.length) {
    const wanted = in_ < shape.length ? shape.charCodeAt(in_) : -1;
    if (wanted === STAR) {
      starIn = ++in_;
      starAt = at;
    } else if (wanted === QUESTION || wanted === text.charCodeAt(at)) {
      in_++;
      at++;
    } else if (starIn !== -1) {
      in_ = starIn;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (in_ < shape.length && shape.charCodeAt(in_) === STAR) in_++;
  return in_ === shape.length;
}

/** The pattern as an ordinary wildcard pattern, with the quirk of the release spelled out. */
export function patternShape(pattern: string, release: Release): string {
  return pattern.endsWith("**") && isReadWith(GREEDY_STARS, release) ? `${pattern}?` : pattern;
}

/** A pattern in a list of items, or in front of the hosts or the port of one. */
export const ENDS_IN_STARS: RegExp = /\*\*(?:$|[,@:\]])/;

/** Splits at commas; one `!` negates; a trailing comma adds no item (match.c match_pattern_list). */
export function parsePatternList(text: string): PatternItem[] {
  const items: PatternItem[] = [];
  for (let at = 0; at < text.length; ) {
    const comma = text.indexOf(",", at);
    const end = comma === -1 ? text.length : comma;
    const negated = text.charCodeAt(at) === 0x21;
    items.push({ negated, pattern: text.slice(negated ? at + 1 : at, end) });
    at = end + 1;
  }
  return items.slice();
}

/** match.c match_pattern_list: a negated hit ends it at once, and so does an item that is too long. */
export function matchPatternList(
  text: string,
  items: readonly PatternItem[],
  release: Release = NEWEST,
): ListMatch {
  let positive: ListMatch = 0;
  for (const { negated, pattern } of items) {
    if (pattern.length >= ITEM_LIMIT) return 0;
    if (!matchPattern(text, pattern, release)) continue;
    if (negated) return -1;
    positive = 1;
  }
  return positive;
}

/** match.c match_hostname: text and patterns are compared in lower case. */
export function matchHostList(
  host: string,
  items: readonly PatternItem[],
  release: Release = NEWEST,
): ListMatch {
  const folded = items.map(({ negated, pattern }) => ({ negated, pattern: lowerAscii(pattern) }));
  return matchPatternList(lowerAscii(host), folded, release);
}
