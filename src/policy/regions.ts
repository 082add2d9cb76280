/** The ways through the keywords of a capability: regions of connections for which the same lines decide. */
import { type Requirement, requirementsUnder } from "./capabilities.ts";
import type { Capability, Connection } from "./connection.ts";
import { type Choice, choiceAt, type KeywordLines } from "./deciders.ts";
import type { Ending } from "./endings.ts";
import type { Reasoning } from "./reasoning.ts";
import type { Scope } from "./search.ts";

/** Connections that are treated alike, because the same lines decide. */
export interface Region {
  readonly allowed: boolean;
  readonly scope: Scope;
  /** null: the effort limit was met before one was found */
  readonly witness: Connection | null;
  /** one for each keyword that was asked */
  readonly choices: readonly Choice[];
}

/** Where to look: a set of connections, and one that is known to lie in it. */
export type Start = Pick<Region, "scope" | "witness">;

export function everywhere({ searcher }: Reasoning): Start {
  return { scope: searcher.everywhere, witness: null };
}

/** All regions of a capability; a closed one is named by the line that closes it. */
export function regionsOf(
  reasoning: Reasoning,
  capability: Capability,
  start: Start = everywhere(reasoning),
): readonly Region[] {
  const regions: Region[] = [];
  const closed = new Map<Choice, number>();
  eachRegion(reasoning, capability, start, (region) => {
    const closing = region.allowed || region.choices.length === 1 ? undefined : region.choices.at(-1);
    const known = closing === undefined ? undefined : closed.get(closing);
    if (closing !== undefined && known === undefined) closed.set(closing, regions.length);
    const before = known === undefined ? undefined : regions[known];
    if (closing === undefined || known === undefined || before === undefined) regions.push(region);
    else regions[known] = widened(reasoning, start, { ...before, witness: before.witness ?? region.witness });
  });
  return regions;
}

/** All ways through the keywords of a capability inside a scope, of connections that sshd serves; `witness`: a connection in it. */
export function eachRegion(
  reasoning: Reasoning,
  capability: Capability,
  inside: Start,
  emit: (region: Region) => void,
): void {
  const serve = (start: Start): void => eachServed(reasoning, capability, start, emit);
  eachEnding(reasoning, inside, { serve, end: () => {} });
}

/** With those that sshd ends, for which a capability is closed. */
export function eachOutcome(
  reasoning: Reasoning,
  capability: Capability,
  inside: Start,
  emit: (region: Region) => void,
): void {
  const serve = (start: Start): void => eachServed(reasoning, capability, start, emit);
  eachEnding(reasoning, inside, { serve, end: emit });
}

/** A part of the connections that sshd ends, whatever they ask for. */
export interface Ended extends Region {
  readonly choices: readonly [Ending];
}

export function endedIn(reasoning: Reasoning, inside: Start): readonly Ended[] {
  const ended: Ended[] = [];
  eachEnding(reasoning, inside, { serve: () => {}, end: (region) => ended.push(region) });
  return ended;
}

interface Fates {
  readonly serve: (start: Start) => void;
  readonly end: (ended: Ended) => void;
}

/** Asks one question after the other; `at`: the next one. */
function eachEnding(reasoning: Reasoning, inside: Start, fates: Fates, at = 0): void {
  const endings = reasoning.endings[at];
  if (endings === undefined) {
    fates.serve(inside);
    return;
  }
  for (const { position, scope, connection } of reasoning.partitionOf(endings, inside.scope, inside.witness)
    .parts) {
    const ending = endings.outcomes[position] ?? null;
    if (ending === null) eachEnding(reasoning, { scope, witness: connection }, fates, at + 1);
    else fates.end({ allowed: false, scope, witness: connection, choices: [ending] });
  }
}

function eachServed(
  reasoning: Reasoning,
  capability: Capability,
  inside: Start,
  emit: (region: Region) => void,
): void {
  const wanted = requirementsUnder(reasoning.config, capability);
  const questions = wanted.map(({ keyword, closes }) => ({ lines: reasoning.linesOf(keyword), closes }));
  const branching = questions.findLastIndex(({ lines }) => lines.guarded.length > 0) + 1;
  const rest = restOf(questions.slice(branching));
  walk({ reasoning, questions: questions.slice(0, branching), rest, emit, choices: [] }, inside);
}

interface Question {
  readonly lines: KeywordLines;
  readonly closes: Requirement["closes"];
}

type Rest = Pick<Region, "allowed" | "choices">;

interface Walk {
  readonly reasoning: Reasoning;
  readonly questions: readonly Question[];
  /** what keywords that nothing but a global line decides say behind them, to all ways alike */
  readonly rest: Rest;
  readonly emit: (region: Region) => void;
  /** of the keywords that were asked on the way here */
  readonly choices: Choice[];
}

function restOf(questions: readonly Question[]): Rest {
  const choices: Choice[] = [];
  for (const { lines, closes } of questions) {
    choices.push(lines.otherwise);
    if (closes(lines.otherwise.values)) return { allowed: false, choices };
  }
  return { allowed: true, choices };
}

/** Asks one keyword after the other; a value that closes ends the way at once. */
function walk(walking: Walk, { scope, witness }: Start): void {
  const { reasoning, questions, rest, emit, choices } = walking;
  const question = questions[choices.length];
  if (question === undefined) {
    emit({ allowed: rest.allowed, scope, witness, choices: choices.concat(rest.choices) });
    return;
  }
  const { lines } = question;
  if (lines.guarded.length === 0) take(walking, question, lines.otherwise, { scope, witness });
  else
    for (const part of reasoning.partitionOf(lines, scope, witness).parts)
      take(walking, question, choiceAt(lines, part), { scope: part.scope, witness: part.connection });
}

function take(walking: Walk, { closes }: Question, choice: Choice, start: Start): void {
  const { choices, emit } = walking;
  choices.push(choice);
  if (!closes(choice.values)) walk(walking, start);
  else emit({ allowed: false, scope: start.scope, witness: start.witness, choices: choices.slice() });
  choices.pop();
}

/** Several ways lead to the line that closes: the region is then all that this line decides, whatever others say. */
function widened(reasoning: Reasoning, start: Start, region: Region): Region {
  const closing = region.choices.at(-1);
  if (closing === undefined || region.choices.length === 1) return region;
  const lines = reasoning.linesOf(closing.keyword);
  const { parts } = reasoning.partitionOf(lines, start.scope, start.witness);
  const whole = parts.find((part) => choiceAt(lines, part) === closing);
  return whole === undefined ? region : { ...region, scope: whole.scope, choices: [closing] };
}
