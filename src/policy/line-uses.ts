/**
 * Whether each line of a first-value keyword ever counts, and what stands before it where it does not. Asked after the
 * exposure it takes that one's reasoning.
 */
import { lookUpKeyword } from "../../grammar/keywords.ts";
import type { Config, Directive } from "../config/config.ts";
import { keywordsOf } from "../config/keyword-lines.ts";
import { isLastPrincipalsTaken } from "../config/other-lines.ts";
import type { LineUse } from "./answer.ts";
import type { Guard } from "./atoms.ts";
import type { KeywordLines, Part, Partition } from "./deciders.ts";
import { endReasoning, type Reasoning, type ReasoningOptions } from "./reasoning.ts";
import { outside, search, within } from "./search.ts";

export function lineUses(config: Config, options: ReasoningOptions = {}): LineUse[] {
  const reasoning = endReasoning(config, options);
  return [...keywordsOf(config)]
    .filter((keyword) => isFirstValue(keyword, config))
    .flatMap((keyword) => usesOf(reasoning, reasoning.linesOf(keyword)));
}

function isFirstValue(keyword: string, config: Config): boolean {
  if (keyword === "authorizedprincipalscommand" && isLastPrincipalsTaken(config.release)) return false;
  const sets = lookUpKeyword(keyword, config.release).keyword?.sets;
  return sets === "first" || sets === "first-line";
}

function usesOf(reasoning: Reasoning, lines: KeywordLines): LineUse[] {
  const { guarded, otherwise, unreachable, shadowedGlobals } = lines;
  const global = otherwise.directive;
  const shadowed = shadowedGlobals.map((directive) => unused(directive, global === null ? [] : [global]));
  if (guarded.length === 0)
    return [
      ...unreachable.map((directive) => unused(directive, [])),
      ...(global === null ? [] : [globalUse(reasoning, global)]),
      ...shadowed,
    ];
  const cut = reasoning.partitionOf(lines, reasoning.searcher.everywhere, null);
  const asking: Asking = {
    reasoning,
    lines,
    shadowed: cut.shadowed,
    parts: new Map(cut.parts.map((part) => [part.position, part])),
    blamed: makeBlame(lines),
  };
  return [
    ...unreachable.map((directive) => unused(directive, [])),
    ...guarded.map(({ directive }, position) => useOf(asking, directive, position)),
    ...(global === null ? [] : [useOf(asking, global, guarded.length)]),
    ...shadowed,
  ];
}

interface Asking {
  readonly reasoning: Reasoning;
  readonly lines: KeywordLines;
  readonly shadowed: Partition["shadowed"];
  /** by position */
  readonly parts: ReadonlyMap<number, Part>;
  /** the lines under some guards */
  readonly blamed: (guards: readonly Guard[]) => readonly Directive[];
}

function unused(directive: Directive, shadowedBy: readonly Directive[]): LineUse {
  return { directive, decides: false, witness: null, shadowedBy };
}

function useOf(asking: Asking, directive: Directive, position: number): LineUse {
  const part = asking.parts.get(position);
  if (part !== undefined) return used(asking, directive, part);
  return unused(directive, asking.blamed(asking.shadowed.get(position) ?? coveringGuards(asking, position)));
}

function used({ blamed }: Asking, directive: Directive, { connection, caught }: Part): LineUse {
  return connection === null
    ? { directive, decides: "unknown", witness: null, shadowedBy: blamed(caught) }
    : { directive, decides: true, witness: connection, shadowedBy: [] };
}

/** Without a line in a block no search is needed. */
function globalUse({ searcher }: Reasoning, directive: Directive): LineUse {
  const sampled = searcher.boxes.sample(searcher.boxes.within([]));
  return sampled.kind === "found"
    ? { directive, decides: true, witness: sampled.value, shadowedBy: [] }
    : unused(directive, []);
}

/** Behind a guard that covers everything, as `Match all` does, the partition ends. */
function coveringGuards(
  { reasoning: { searcher }, lines: { sequence } }: Asking,
  position: number,
): readonly Guard[] {
  const scope = within(searcher.everywhere, sequence.guards[position] ?? []);
  return search(searcher, outside(scope, sequence, position)).caught;
}

/** Of the lines under one guard the first is the one that counts. */
function makeBlame({ guarded, sequence }: KeywordLines): Asking["blamed"] {
  let positions: Map<Guard, number> | null = null;
  return (guards) => {
    if (guards.length === 0) return [];
    positions ??= new Map(
      [...sequence.guards.entries()].reverse().map(([position, guard]) => [guard, position]),
    );
    const first = guards.map((guard) => positions?.get(guard) ?? 0).sort((a, b) => a - b);
    return first.flatMap((position) => guarded[position]?.directive ?? []);
  };
}
