/** Whether each line of a first-value keyword ever counts, and what stands before it where it does not. */
import { lookUpKeyword } from "../../grammar/keywords.ts";
import type { Config, Directive } from "../config/config.ts";
import type { LineUse } from "./answer.ts";
import type { Guard } from "./atoms.ts";
import type { GuardedLine, KeywordLines } from "./deciders.ts";
import { type Reasoning, type ReasoningOptions, startReasoning } from "./reasoning.ts";
import { outside, search, within } from "./search.ts";

export function lineUses(config: Config, options: ReasoningOptions = {}): LineUse[] {
  const reasoning = startReasoning(config, options);
  const keywords = new Set(config.directives.map(({ keyword }) => keyword));
  return [...keywords]
    .filter((keyword) => isFirstValue(keyword, config))
    .flatMap((keyword) => usesOf(reasoning, reasoning.linesOf(keyword)));
}

function isFirstValue(keyword: string, config: Config): boolean {
  const sets = lookUpKeyword(keyword, config.release).keyword?.sets;
  return sets === "first" || sets === "first-line";
}

function usesOf(reasoning: Reasoning, lines: KeywordLines): LineUse[] {
  const { guarded, global, unreachable, shadowedGlobals } = lines;
  return [
    ...unreachable.map((directive) => unused(directive, [])),
    ...guarded.map((line, position) => useOf(reasoning, line, earlierLines(lines, line.guard, position))),
    ...(global === null ? [] : [useOf(reasoning, { directive: global, guard: [] }, guarded)]),
    ...shadowedGlobals.map((directive) => unused(directive, global === null ? [] : [global])),
  ];
}

/** Lines in front that may meet the guard at all. */
function earlierLines({ guarded, index }: KeywordLines, guard: Guard, position: number): GuardedLine[] {
  return index
    .compatible(guard)
    .filter((other) => other < position)
    .flatMap((other) => guarded[other] ?? []);
}

function unused(directive: Directive, shadowedBy: readonly Directive[]): LineUse {
  return { directive, decides: false, witness: null, shadowedBy };
}

function useOf(
  { searcher }: Reasoning,
  { directive, guard }: GuardedLine,
  earlier: readonly GuardedLine[],
): LineUse {
  const scope = within(searcher, searcher.everywhere, guard);
  const guards = earlier.map((line) => line.guard);
  const result = search(searcher, outside(scope, guards));
  if (result.kind === "witness")
    return { directive, decides: true, witness: result.connection, shadowedBy: [] };
  const shadowedBy = firstOfEach(earlier.filter((line) => result.caught.has(line.guard)));
  if (result.kind === "unknown") return { directive, decides: "unknown", witness: null, shadowedBy };
  return unused(directive, shadowedBy);
}

/** Of the lines under one guard the first is the one that counts. */
function firstOfEach(lines: readonly GuardedLine[]): Directive[] {
  const guards = new Set<Guard>();
  return lines.flatMap(({ directive, guard }) => {
    if (guards.has(guard)) return [];
    guards.add(guard);
    return [directive];
  });
}
