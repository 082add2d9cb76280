/** The criteria of a Match line: OpenSSH servconf.c match_cfg_line. */
import { type AddressItem, parseAddressList } from "./addresses.ts";
import { lowerAscii } from "./ascii.ts";
import { type PatternItem, parsePatternList } from "./patterns.ts";
import { readPort, servicePremise } from "./ports.ts";
import type { ValueProblem } from "./problem.ts";
import { atLeast, type Release } from "./release.ts";
import type { DirectiveLine, Span, Word } from "./tree.ts";

/** All criteria of a line are ANDed. `span` covers name and value. */
export type MatchCriterion =
  | { readonly attribute: "all" | "invalid-user"; readonly span: Span }
  | {
      readonly attribute: "user" | "group" | "host" | "rdomain" | "version";
      readonly text: string;
      readonly items: readonly PatternItem[];
      readonly span: Span;
    }
  | {
      readonly attribute: "address" | "localaddress";
      readonly text: string;
      readonly items: readonly AddressItem[];
      readonly span: Span;
    }
  | { readonly attribute: "localport"; readonly text: string; readonly port: number; readonly span: Span };

/** `criteria` is null where sshd refuses the line. */
export interface MatchReading {
  readonly criteria: readonly MatchCriterion[] | null;
  readonly problems: readonly ValueProblem[];
}

/** Criteria that take a value, with the release that brought them. */
const SINCE: Readonly<Record<string, string>> = {
  user: "7.4",
  group: "7.4",
  host: "7.4",
  address: "7.4",
  localaddress: "7.4",
  localport: "7.4",
  rdomain: "7.7",
  version: "10.0",
};

/**
 * The words are split by core's rule for Match lines: strdelim up to 9.8, argv_split from 9.9. An empty word ends the
 * list up to 9.8; an unclosed quote, which strdelim drops, ends it too.
 */
export function readMatch(line: DirectiveLine, release: Release): MatchReading {
  const read = readCriteria(line, release);
  if ("refused" in read) return read.refused;
  const { criteria, problems, rest } = read;
  if (criteria.length === 0)
    return refuse("match-empty", "One or more attributes required for Match", line.rest);
  const leftover = rest <= line.args.length ? leftovers(line, line.args.slice(rest), release) : null;
  return leftover === null ? { criteria, problems } : { criteria: null, problems: [leftover] };
}

interface CriteriaReading {
  readonly criteria: MatchCriterion[];
  readonly problems: ValueProblem[];
  /** first word that no criterion took; beyond the end when a comment took the rest */
  rest: number;
}

function readCriteria(line: DirectiveLine, release: Release): CriteriaReading | Refused {
  const read: CriteriaReading = { criteria: [], problems: [], rest: Number.POSITIVE_INFINITY };
  const newer = atLeast(release, "9.9");
  const words = line.args;
  for (let at = 0; at < words.length; at++) {
    const name = words[at];
    if (name === undefined || isComment(name.value, release)) break;
    if (name.value === "" && !newer) {
      read.rest = at + 1;
      break;
    }
    const key = lowerAscii(name.value);
    if (key === "all") {
      const next = words[at + 1]?.value ?? "";
      if (read.criteria.length > 0 || (next !== "" && !isComment(next, release)))
        return refused("match-all-combined", "'all' cannot be combined with other Match attributes", name);
      read.criteria.push({ attribute: "all", span: name });
      if (next === "") read.rest = at + 2;
      break;
    }
    if (key === "invalid-user" && newer) {
      read.criteria.push({ attribute: "invalid-user", span: name });
      continue;
    }
    const pair = pairAt(words, at, release);
    const criterion = readCriterion(pair, line, release);
    if (criterion === null)
      return refused("match-unknown", `Unsupported Match attribute ${name.value}`, name);
    if ("refused" in criterion) return criterion;
    read.criteria.push(criterion.criterion);
    read.problems.push(...criterion.problems);
    at += pair.words - 1;
  }
  return read;
}

function isComment(word: string, release: Release): boolean {
  return atLeast(release, "8.7") && word.startsWith("#");
}

interface Pair {
  readonly name: string;
  readonly value: string | null;
  /** how many words it took */
  readonly words: number;
  /** the first of them */
  readonly word: Span;
  readonly span: Span;
}

/** From 9.9p2 a first word `user=x` holds both; the names are those that take a value. */
function pairAt(words: readonly Word[], at: number, release: Release): Pair {
  const name = words[at]?.value ?? "";
  const word = words[at] ?? { start: 0, end: 0 };
  const equals = name.indexOf("=");
  const key = lowerAscii(name.slice(0, Math.max(equals, 0)));
  if (equals > 0 && atLeast(release, "9.9p2") && isKnown(key, release))
    return { name: name.slice(0, equals), value: name.slice(equals + 1), words: 1, word, span: word };
  const value = words[at + 1];
  const span = { start: word.start, end: value?.end ?? word.end };
  return { name, value: value?.value ?? null, words: 2, word, span };
}

function isKnown(key: string, release: Release): boolean {
  const since = Object.hasOwn(SINCE, key) ? SINCE[key] : undefined;
  return since !== undefined && atLeast(release, since);
}

interface Refused {
  readonly refused: MatchReading;
}

type CriterionReading =
  | { readonly criterion: MatchCriterion; readonly problems: readonly ValueProblem[] }
  | Refused;

/** Null where the release does not know the name. */
function readCriterion(pair: Pair, line: DirectiveLine, release: Release): CriterionReading | null {
  const { name, value: text, span } = pair;
  if (text === null || text === "" || isComment(text, release))
    return refused("match-value-missing", `Missing Match criteria for ${name}`, pair.word);
  const key = lowerAscii(name);
  if (!isKnown(key, release)) return null;
  switch (key) {
    case "user":
    case "group":
    case "host":
    case "rdomain":
    case "version":
      return { criterion: { attribute: key, text, items: parsePatternList(text), span }, problems: [] };
    case "address":
    case "localaddress":
      return readAddresses(key, { text, span }, line, release);
    case "localport": {
      const port = readPort(text, release);
      if (port === null) return refused("match-port", `Invalid LocalPort '${text}' on Match line`, span);
      const premise = servicePremise(text);
      const note = { code: "service-name", weight: "silent", prefix: "none", span, when: "always" } as const;
      return {
        criterion: { attribute: "localport", text, port, span },
        problems: premise === null ? [] : [{ ...note, message: premise }],
      };
    }
    default:
      return null;
  }
}

/** A bad list is fatal from 8.4; before, it is accepted and ends every connection that evaluates it. */
function readAddresses(
  attribute: "address" | "localaddress",
  { text, span }: { readonly text: string; readonly span: Span },
  line: DirectiveLine,
  release: Release,
): CriterionReading {
  const { items, error } = parseAddressList(text, release);
  const criterion: MatchCriterion = { attribute, text, items, span };
  if (error === null) return { criterion, problems: [] };
  const bad = { span, when: "always", prefix: "none" } as const;
  if (!atLeast(release, "8.4")) {
    const message = `the ${error.cause} item "${error.item}" ends each connection that reaches it`;
    return { criterion, problems: [{ ...bad, code: "match-address-lockout", weight: "silent", message }] };
  }
  const message = `Invalid Match ${attribute} argument '${text}' at line ${line.sshdNumber}`;
  return {
    refused: { criteria: null, problems: [{ ...bad, code: "match-address", weight: "fatal", message }] },
  };
}

function refused(code: string, message: string, span: Span): Refused {
  return { refused: refuse(code, message, span) };
}

/** sshd first says what is wrong, without a position, then where. */
function refuse(code: string, message: string, span: Span): MatchReading {
  const where = { span, when: "always", weight: "fatal" } as const;
  return {
    criteria: null,
    problems: [
      { ...where, code, message, prefix: "none" },
      { ...where, code: "match-condition", message: "Bad Match condition", prefix: "line" },
    ],
  };
}

/** What stands behind an empty word: garbage up to 8.6, extra arguments from 8.7. */
function leftovers(line: DirectiveLine, words: readonly Word[], release: Release): ValueProblem | null {
  const [first] = words;
  if (atLeast(release, "8.7")) {
    // strdelim yields one more empty word at the end of the line, behind a quote or `=`; no text stands behind it.
    const text =
      (first !== undefined && first.start < line.rest.end) ||
      line.ending === "unclosed-quote" ||
      (line.comment !== null && !atLeast(release, "9.9"));
    if (!text) return null;
    const message = `keyword ${line.keyword.value} extra arguments at end of line`;
    const span = first ?? line.rest;
    return { code: "extra-arguments", weight: "counted", message, prefix: "line", span, when: "always" };
  }
  if (first === undefined || first.value === "") return null;
  const message = `garbage at end of line; "${first.value}".`;
  return { code: "garbage", weight: "fatal", message, prefix: "line", span: first, when: "always" };
}
