/**
 * Connections that sshd ends once it reads the file for them, though `sshd -t` accepts it (servconf.c
 * parse_server_match_config): which of them, and because of which line. Asked before all that a connection may do.
 */
import { atLeast, type Release } from "../../grammar/release.ts";
import { onceFor } from "../../grammar/remember.ts";
import type { Config, Criterion, Directive, LaterProblem } from "../config/config.ts";
import type { Place } from "../source/source.ts";
import { type Guard, shapedAddress } from "./atoms.ts";
import type { Choice } from "./deciders.ts";
import { type GuardSequence, NO_GUARDS } from "./guard-sequence.ts";
import { type Searcher, within } from "./search.ts";

/** What ends a connection. */
export type Ending = Choice & {
  /** as sshd says it */
  readonly because: string;
  readonly place: Place;
};

/** One question: the first guard that holds decides; behind the last one sshd goes on. */
export interface Endings {
  /** the same for the same question in two configurations */
  readonly about: string;
  readonly sequence: GuardSequence;
  /** by position; null: sshd goes on */
  readonly outcomes: readonly (Ending | null)[];
}

export const NO_ENDINGS: Endings = { about: "", sequence: NO_GUARDS, outcomes: [] };

interface Outcome {
  /** null: no connection can fulfil it */
  readonly guard: Guard | null;
  readonly ending: Ending | null;
}

/** A connection is ended where one of them says so. */
export function endingsOf(config: Config, searcher: Searcher): readonly Endings[] {
  const asked = new Map<string, readonly Outcome[]>();
  const { atoms } = searcher;
  const add = (about: string, outcomes: readonly Outcome[]): void => {
    asked.set(about, [...(asked.get(about) ?? []), ...outcomes]);
  };
  for (const { list, outer, ending } of deadlyLists(config)) {
    const around = atoms.guardOf({ guards: outer });
    const own = atoms.guardOfSet(list);
    const guard = around === null || own === null ? null : within({ met: around, without: [] }, own).met;
    add("lines", [{ guard, ending }]);
  }
  for (const problem of config.later) {
    const { directive, when } = problem;
    const ending = endingBy(problem);
    if (directive === null || when === "always") add("lines", [{ guard: [], ending }]);
    else if (when === "active") add("lines", [{ guard: atoms.guardOf(directive), ending }]);
  }
  for (const [about, outcomes] of byEarlierLines(config, searcher)) add(about, outcomes);
  return [...asked].flatMap(([about, outcomes]) => {
    const possible = outcomes.filter(({ guard }) => guard !== null);
    if (possible.every(({ ending }) => ending === null)) return [];
    const sequence = searcher.sequenceOf(possible.map(({ guard }) => guard ?? []));
    return [{ about, sequence, outcomes: possible.map(({ ending }) => ending) }];
  });
}

function endingBy({ directive, place, sshdText: because }: LaterProblem): Ending {
  const keyword = directive?.keyword ?? "include";
  const values = directive?.values ?? [];
  return { keyword, value: values.join(" "), values, directive, because, place };
}

/**
 * Endings by what earlier lines of the keyword have set in blocks that hold: such a line is a way around them, or the way
 * to them.
 */
function byEarlierLines(config: Config, searcher: Searcher): ReadonlyMap<string, readonly Outcome[]> {
  const found = new Map<string, readonly Outcome[]>();
  for (const [about, problems] of conditional(config)) {
    const isAgain = problems.some(({ when }) => when === "again");
    const outcomes = isAgain ? behindLines : unlessBefore;
    found.set(about, outcomes(problems, { searcher, lines: linesLike(problems, config) }));
  }
  return found;
}

/** By what it is that earlier lines have set. */
function conditional({ later }: Config): ReadonlyMap<string, readonly LaterProblem[]> {
  const found = new Map<string, LaterProblem[]>();
  for (const problem of later) {
    const { directive, when } = problem;
    if (directive === null || when === "always" || when === "active") continue;
    const name = directive.keyword === "subsystem" ? ` ${directive.args[0]?.value}` : "";
    const about = `${when === "again" ? "again" : "first"} ${directive.keyword}${name}`;
    const same = found.get(about);
    if (same === undefined) found.set(about, [problem]);
    else same.push(problem);
  }
  return found;
}

/** Lines of the keyword that would set the same. */
function linesLike([first]: readonly LaterProblem[], { directives }: Config): readonly Directive[] {
  const like = first?.directive;
  if (like == null) return [];
  const isLike = ({ keyword, args }: Directive): boolean =>
    keyword === like.keyword && (keyword !== "subsystem" || args[0]?.value === like.args[0]?.value);
  return directives.filter(isLike);
}

interface Among {
  readonly searcher: Searcher;
  readonly lines: readonly Directive[];
}

/** The first line that holds sets the keyword, or ends the connection. One that sshd reads in any case comes to all that is left. */
function unlessBefore(problems: readonly LaterProblem[], { searcher, lines }: Among): readonly Outcome[] {
  const problemAt = new Map(problems.map((problem) => [problem.directive, problem]));
  return lines.map((line) => {
    const problem = problemAt.get(line);
    if (problem?.when === "first") return { guard: [], ending: endingBy(problem) };
    const guard = setsSomething(line) || problem !== undefined ? enteredGuard(searcher, line) : null;
    return { guard, ending: problem === undefined ? null : endingBy(problem) };
  });
}

/** Behind a line that holds and sets the keyword the next such problem ends the connection. */
function behindLines(problems: readonly LaterProblem[], { searcher, lines }: Among): readonly Outcome[] {
  return lines.filter(setsSomething).map((line) => {
    const next = problems.find(({ directive }) => (directive?.order ?? 0) > line.order);
    return {
      guard: next === undefined ? null : enteredGuard(searcher, line),
      ending: next === undefined ? null : endingBy(next),
    };
  });
}

function setsSomething({ values }: Directive): boolean {
  return values !== null && values.length > 0;
}

/** For a connection sshd takes nothing that stands outside all blocks. */
function enteredGuard({ atoms }: Searcher, { guards }: Directive): Guard | null {
  return guards.length === 0 ? null : atoms.guardOf({ guards });
}

/** A list of addresses that sshd gives up on, as the clients for which it comes so far. */
interface DeadlyList {
  readonly list: readonly Criterion[];
  readonly outer: Directive["guards"];
  readonly ending: Ending;
}

/** Up to 8.3 such a list is not refused when sshd starts (addrmatch.c addr_match_list). */
const deadlyLists: (config: Config) => readonly DeadlyList[] = onceFor(({ matches, release }) => {
  if (atLeast(release, "8.4")) return [];
  return matches.flatMap(({ criteria, line, outer, lost }) =>
    criteria.flatMap((criterion) => {
      if (lost || (criterion.attribute !== "address" && criterion.attribute !== "localaddress")) return [];
      const invalid = criterion.items.findIndex(({ kind }) => kind === "invalid");
      if (invalid === -1) return [];
      const list = [clientsBefore(invalid, criterion, release)];
      const { place, text } = criterion;
      const because = `reprocess config line ${line.sshdNumber}: Bad Match condition`;
      const ending = { keyword: "match", value: text, values: [text], directive: null, because, place };
      return [{ list, outer, ending }];
    }),
  );
});

/** Clients for which sshd comes as far as the item: none that an earlier one takes away. */
function clientsBefore(
  invalid: number,
  criterion: Extract<Criterion, { attribute: "address" | "localaddress" }>,
  release: Release,
): Criterion {
  const isVeto = (_: unknown, index: number): boolean =>
    index < invalid && criterion.items[index]?.negated === true;
  const vetoes = criterion.items.filter(isVeto).map((item) => shapedAddress(item, release));
  return {
    ...criterion,
    text: [...criterion.text.split(",").filter(isVeto), "*"].join(),
    items: [...vetoes, { kind: "text", negated: false, pattern: "*" }],
  };
}

/** Sets of connections that a search must know to tell what is ended. */
export const endingSets: (config: Config) => readonly (readonly Criterion[])[] = onceFor((config) =>
  deadlyLists(config).map(({ list }) => list),
);
