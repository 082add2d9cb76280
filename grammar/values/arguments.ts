/** A cursor over the words of one line, and the ways to say what is wrong with them. */
import type { Keyword } from "../keywords.ts";
import { servicePremise } from "../ports.ts";
import type { ValueProblem } from "../problem.ts";
import { atLeast, type Release } from "../release.ts";
import type { DirectiveLine, Span, Word } from "../tree.ts";

/** Reads words as servconf.c does: argv_next from 8.7, strdelim before. */
export interface Arguments {
  readonly keyword: Keyword;
  /** the keyword as written: what sshd's messages repeat from 8.7 on */
  readonly spelled: string;
  readonly line: DirectiveLine;
  readonly release: Release;
  /** 8.7 and later: argv_split and its messages */
  readonly newer: boolean;
  /** null at the end, and where an unclosed quote hides the rest (up to 8.6) */
  next(): Word | null;
  peek(): Word | null;
  /** text remains, readable or not */
  more(): boolean;
  /** takes all that is left */
  finish(): void;
  /** a problem that does not keep the line from being accepted */
  note(problem: ValueProblem): void;
}

/** What a form makes of the arguments: the values as `sshd -T` prints them, or why sshd refuses. */
export type FormReading = readonly string[] | Refusal;

export interface Refusal {
  readonly refused: readonly ValueProblem[];
}

export type ReadForm = (args: Arguments) => FormReading;

export function makeArguments(
  keyword: Keyword,
  line: DirectiveLine,
  release: Release,
  notes: ValueProblem[],
): Arguments {
  const words = line.args;
  let at = 0;
  return {
    keyword,
    spelled: line.keyword.value,
    line,
    release,
    newer: atLeast(release, "8.7"),
    next: () => words[at++] ?? null,
    peek: () => words[at] ?? null,
    more: () => at < words.length || (at === words.length && line.ending === "unclosed-quote"),
    finish: () => {
      at = Number.POSITIVE_INFINITY;
    },
    note: (problem) => notes.push(problem),
  };
}

interface Details {
  readonly word?: Word | null;
  readonly when?: ValueProblem["when"];
}

/** Where a problem points: at its word, else at all arguments, else at the keyword. */
export function spanOf(line: DirectiveLine, word: Word | null | undefined): Span {
  if (word && word.end > word.start) return word;
  return line.rest.text === "" ? line.keyword : line.rest;
}

function problem(args: Arguments, code: string, message: string, details: Details): ValueProblem {
  const { word, when = "always" } = details;
  return { code, weight: "fatal", message, prefix: "line", span: spanOf(args.line, word), when };
}

/** fatal(): reading ends at once. */
export function fatal(args: Arguments, code: string, message: string, details: Details = {}): Refusal {
  return { refused: [problem(args, code, message, details)] };
}

/** error() and "goto out": the line is counted as bad, reading goes on. */
export function counted(args: Arguments, code: string, message: string, details: Details = {}): Refusal {
  return { refused: [{ ...problem(args, code, message, details), weight: "counted" }] };
}

/** A message that a helper function prints, without a position, before the refusal itself. */
export function preceded(message: string, refusal: Refusal): Refusal {
  const [first] = refusal.refused;
  if (first === undefined) return refusal;
  return { refused: [{ ...first, message, prefix: "none" }, ...refusal.refused] };
}

/** Says what the line depends on when a port is a service name. */
export function notePort(args: Arguments, word: Word, port: string): void {
  const message = servicePremise(port);
  if (message === null) return;
  args.note({ ...problem(args, "service-name", message, { word }), weight: "silent", prefix: "none" });
}

/** The value is not there, or empty: `old` is the text up to 8.6, `recent` the one from 8.7. */
export function missing(args: Arguments, old: string, recent = `${args.spelled} missing argument.`): Refusal {
  return fatal(args, "missing-argument", args.newer ? recent : old);
}

export function isRefusal(reading: FormReading): reading is Refusal {
  return "refused" in reading;
}

/** The next word where it is there and not empty. */
export function nextFull(args: Arguments): Word | null {
  const word = args.next();
  return word === null || word.value === "" ? null : word;
}

/** Every word of a list: up to 8.6 an empty word ends it, from 8.7 it is an item. */
export function listWords(args: Arguments): readonly Word[] {
  const words: Word[] = [];
  for (let word = args.next(); word !== null; word = args.next()) {
    if (word.value === "" && !args.newer) break;
    words.push(word);
  }
  return words;
}

/** From 9.7 a list without items is refused. */
export function requireItems(args: Arguments, words: readonly Word[]): Refusal | null {
  if (words.length > 0 || !atLeast(args.release, "9.7")) return null;
  return fatal(args, "missing-argument", `no ${args.spelled} specified`);
}
