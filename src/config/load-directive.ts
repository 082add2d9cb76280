/** A line that sets a keyword: its value, and what is wrong with it now or only for a connection. */
import type { LookedUp } from "../../grammar/keywords.ts";
import { ENDS_IN_STARS } from "../../grammar/patterns.ts";
import { isRefusal, type ValueProblem } from "../../grammar/problem.ts";
import { GREEDY_STARS } from "../../grammar/release-bugs.ts";
import type { DirectiveLine } from "../../grammar/tree.ts";
import { readValue } from "../../grammar/values.ts";
import { placeOf } from "../source/source.ts";
import type { Directive, LaterProblem } from "./config.ts";
import { contentSpan, valueSpan } from "./line-spans.ts";
import { POSITIONS, pushProblem } from "./load-problems.ts";
import { type FileState, type Loading, noteBug } from "./loading.ts";
import { anyBehindMethods, isSetBy, repeatProblem } from "./other-lines.ts";
import { asPrinted } from "./printed.ts";

/** Keywords about who forwards what whose items are patterns. */
const PATTERN_LISTS: ReadonlySet<string> = new Set([
  ...["allowusers", "denyusers", "allowgroups", "denygroups", "permitlisten"],
]);

export function readDirective(
  loading: Loading,
  state: FileState,
  line: DirectiveLine,
  found: LookedUp,
): void {
  if (found.keyword === null) return;
  const { source } = state.text;
  const { values, problems } = readValue(found.keyword, line, loading.release);
  const { key } = found.keyword;
  const set = loading.setAtStart.get(key);
  const before = set ?? NOTHING;
  const repeated = repeatProblem(key, line, values ?? NOTHING, before, loading.release);
  const value = valueSpan(line);
  const directive: Directive = {
    keyword: key,
    args: line.args,
    line,
    place: placeOf(source, contentSpan(line, value)),
    valuePlace: placeOf(source, value),
    values,
    guards: state.guards,
    order: loading.directives.length,
    atStart: state.active,
    origin: "file",
  };
  // before the line counts as one that sets the keyword
  const isQuiet = repeated === null && problems.length === 0;
  const met = isQuiet ? NO_PROBLEMS : metNow(state, directive, { problems, repeated, before });
  for (const problem of met) pushProblem(loading, state.text, line, problem);
  if (state.active && values !== null) {
    if (set === undefined) loading.setAtStart.set(key, values.slice());
    else set.push(...values);
  }
  loading.directives.push(directive);
  if (PATTERN_LISTS.has(key) && values?.some((item) => ENDS_IN_STARS.test(item)) === true)
    noteBug(loading, GREEDY_STARS);
  if (repeated === null && met.length === 0) rememberLater(loading, state, directive, problems);
}

const NOTHING: readonly string[] = [];
const NO_PROBLEMS: readonly ValueProblem[] = [];

interface Met {
  readonly problems: readonly ValueProblem[];
  readonly repeated: ValueProblem | null;
  readonly before: readonly string[];
}

/** The problems of a line that this pass meets. */
function metNow(
  { active }: FileState,
  { keyword, line }: Directive,
  { problems, repeated, before }: Met,
): readonly ValueProblem[] {
  const isFirst = !isSetBy(keyword, line, before);
  const all = repeated === null ? problems : [repeated];
  return all.filter((problem) => applies(problem, active, isFirst));
}

/** Problems that this pass did not meet wait for a connection (servconf.c parse_server_match_config). */
function rememberLater(
  loading: Loading,
  state: FileState,
  directive: Directive,
  problems: readonly ValueProblem[],
): void {
  const { line, keyword } = directive;
  if (problems.length === 0 && keyword !== "authenticationmethods") return;
  // options are no part of the file that is read again
  if (line.sshdNumber === 0) return;
  const matchesBefore = loading.matches.length;
  const push = (message: string, when: LaterProblem["when"], prefix: ValueProblem["prefix"]): void => {
    const sshdText = asPrinted(POSITIONS[prefix](laterName(state), line.sshdNumber) + message);
    loading.later.push({ directive, when, place: directive.place, sshdText, matchesBefore });
  };
  const again = keyword === "authenticationmethods" ? anyBehindMethods(line, loading.release) : null;
  if (again !== null) push(again, "again", "line");
  const first = problems.find(isRefusal);
  if (first !== undefined) push(first.message, first.when, first.prefix);
}

/** The main file is read again from memory, under this name. */
function laterName({ text, context }: FileState): string {
  return context.depth === 0 ? "reprocess config" : text.source.path;
}

function applies({ when }: ValueProblem, active: boolean, first: boolean): boolean {
  return (
    (active || when === "always" || when === "first") && (first || when === "always" || when === "active")
  );
}
