/** Which line a change is for, and what several changes of one line make of it. */
import { type Change, keywordOf } from "../config/change.ts";
import type { Config, Directive } from "../config/config.ts";
import { globalLine } from "../config/keyword-lines.ts";
import { bothAllow, groupBy, TWO_WAY } from "../lint/openings.ts";

/** A line inside a block; the keyword, for the line or default outside all of them. */
export type Line = Directive | string;

export function changedBy(change: Change): Line {
  return lineOf(keywordOf(change), change.kind === "set-global" ? null : change.directive);
}

export function lineOf(keyword: string, directive: Directive | null): Line {
  return directive === null || directive.guards.length === 0 ? keyword : directive;
}

/**
 * One finding wants a line to be what the line outside its block is, which leaves a direction open, and another closes
 * that direction: both get what they want by what both values allow.
 */
export function agreedChanges(config: Config, changes: readonly Change[]): readonly Change[] {
  const wanted = groupBy(changes, (change) => writtenLine(config, change));
  return changes.map((change) => {
    if (!TWO_WAY.has(keywordOf(change))) return change;
    const values = (wanted.get(writtenLine(config, change)) ?? []).map(({ value }) => value);
    return { ...change, value: values.reduce(bothAllow, change.value) };
  });
}

/** A file that is included in several places has each of its lines once. The keyword: there is none yet. */
function writtenLine(config: Config, change: Change): Directive["line"] | string {
  const keyword = keywordOf(change);
  const directive = change.kind === "set-global" ? globalLine(config, keyword) : change.directive;
  return directive?.line ?? keyword;
}
