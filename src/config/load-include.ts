/** An Include line: where its patterns are looked for, and the files that they bring in. */
import { atLeast } from "../../grammar/release.ts";
import { isReadWith, LOST_INCLUDES } from "../../grammar/release-bugs.ts";
import type { DirectiveLine, Word } from "../../grammar/tree.ts";
import { globPaths, MOST_NAMES } from "../files/glob.ts";
import { placeOf, type Source } from "../source/source.ts";
import type { IncludeLine, IncludeTarget } from "./config.ts";
import { contentSpan, valueSpan } from "./line-spans.ts";
import { pushProblem, reportUnreadable } from "./load-problems.ts";
import {
  type Context,
  type FileState,
  type LoadedText,
  type Loading,
  noteBug,
  noteDenied,
  readText,
} from "./loading.ts";

/** sshd's compiled-in folder (SSHDIR). */
const SSH_FOLDER = "/etc/ssh";
/** Ours: Includes that include each other twice would otherwise be read 2^16 times. */
const MAX_INCLUDED_FILES = 20_000;

/** Reads the lines of an included file where its Include stands. */
export type ReadFile = (loading: Loading, text: LoadedText, context: Context) => void;

/** Where an Include stands, and what reads the files that it brings in. */
interface Including {
  readonly loading: Loading;
  readonly state: FileState;
  readonly include: IncludeLine;
  readonly readFile: ReadFile;
}

export function readIncludeLine(
  loading: Loading,
  state: FileState,
  line: DirectiveLine,
  readFile: ReadFile,
): void {
  const { source } = state.text;
  const place = placeOf(source, contentSpan(line, valueSpan(line)));
  const targets: IncludeTarget[] = [];
  const include: IncludeLine = { line, place, guards: state.guards, targets };
  loading.includes.push(include);
  for (const word of includePatterns(line)) {
    const target = findTarget(loading, word, line, source);
    targets.push(target);
    readTarget({ loading, state, include, readFile }, target);
  }
  reportIncludeWords(loading, state.text, line);
}

/**
 * A pattern is looked up once. While its files are read for the first time, an Include of the same pattern in one of
 * them sees only the files before it; when the configuration is read again for a connection it sees all, without end.
 */
function readTarget(including: Including, target: IncludeTarget): void {
  const { loading, include } = including;
  const { lookedFor, matched } = target;
  const known = loading.included.get(lookedFor);
  if (known !== undefined && loading.including.has(lookedFor)) noteLoop(loading, include);
  if (known === undefined && matched.length === 0) loading.included.set(lookedFor, []);
  if (known === undefined) loading.including.add(lookedFor);
  for (const path of matched) {
    readIncluded(including, target, path);
    if (known === undefined) keepIncluded(loading, lookedFor, path);
  }
  if (known === undefined) loading.including.delete(lookedFor);
}

function keepIncluded(loading: Loading, pattern: string, path: string): void {
  const kept = loading.included.get(pattern);
  if (kept === undefined) loading.included.set(pattern, [path]);
  else kept.push(path);
}

function noteLoop(loading: Loading, include: IncludeLine): void {
  const { place } = include;
  const matchesBefore = loading.matches.length;
  const sshdText = "Too many recursive configuration includes";
  loading.later.push({ directive: null, when: "always", place, sshdText, matchesBefore });
  loading.problems.push({
    code: "include-loop-later",
    weight: "silent",
    sshdText: "",
    message: "read again for a connection, this Include leads back to its own file",
    place,
    sshdLine: include.line.sshdNumber,
  });
}

/** An empty word ends the list. */
function includePatterns(line: DirectiveLine): readonly Word[] {
  const empty = line.args.findIndex((word) => word.value === "");
  return empty === -1 ? line.args : line.args.slice(0, empty);
}

/**
 * After the files before it are read: an empty word is refused from 8.7 on; in older releases a word behind it is left
 * over.
 */
function reportIncludeWords(loading: Loading, text: LoadedText, line: DirectiveLine): void {
  const modern = atLeast(loading.release, "8.7");
  const patterns = includePatterns(line);
  const empty = line.args[patterns.length];
  const behind = line.args[patterns.length + 1];
  const refuse = (code: string, weight: "fatal" | "counted", message: string, word?: Word): void => {
    const span = word ?? line.keyword;
    pushProblem(loading, text, line, { code, weight, message, span, prefix: "line", when: "always" });
  };
  if (modern && empty !== undefined) {
    refuse("empty-argument", "counted", `keyword ${line.keyword.value} empty argument`, empty);
  } else if (patterns.length === 0) {
    const name = modern ? line.keyword.value : "Include";
    refuse("missing-argument", "fatal", `${name} missing filename argument`);
  } else if (behind !== undefined && behind.value !== "") {
    refuse("garbage", "fatal", `garbage at end of line; "${behind.value.slice(0, 200)}".`, behind);
  }
}

function findTarget(loading: Loading, word: Word, line: DirectiveLine, source: Source): IncludeTarget {
  const lookedFor = locate(loading, word.value, line.keyword.value);
  return {
    pattern: word.value,
    place: placeOf(source, word),
    lookedFor,
    matched: [...(loading.included.get(lookedFor) ?? search(loading, lookedFor))],
  };
}

function search(loading: Loading, pattern: string): readonly string[] {
  const found = pattern.startsWith("/")
    ? globPaths(loading.tree, pattern, (path) => noteDenied(loading, path))
    : [];
  if (found === null)
    loading.limits.add(`an Include whose pattern is compared with more than ${MOST_NAMES} names`);
  return found ?? [];
}

/** The absolute pattern; `~` is not expanded and therefore finds nothing. 8.2 puts the keyword in the pattern's place. */
function locate(loading: Loading, pattern: string, keyword: string): string {
  if (pattern.startsWith("~")) return pattern;
  const isRelative = !pattern.startsWith("/");
  const isMistaken = isRelative && isReadWith(LOST_INCLUDES, loading.release);
  if (isRelative) noteBug(loading, LOST_INCLUDES);
  const inFolder = isMistaken ? keyword : pattern;
  const absolute = pattern.startsWith("/") ? pattern : `${SSH_FOLDER}/${inFolder}`;
  const folder = loading.options.configFolder ?? SSH_FOLDER;
  if (folder === SSH_FOLDER || !absolute.startsWith(`${SSH_FOLDER}/`)) return absolute;
  return escapeGlob(folder) + absolute.slice(SSH_FOLDER.length);
}

function escapeGlob(path: string): string {
  return path.replace(/[\\*?[]/g, "\\$&");
}

function readIncluded(
  { loading, state, include, readFile }: Including,
  target: IncludeTarget,
  path: string,
): void {
  if (++loading.readings > MAX_INCLUDED_FILES) {
    loading.limits.add(`more than ${MAX_INCLUDED_FILES} included files`);
    return;
  }
  const text = readText(loading, path);
  if (typeof text === "string") {
    reportUnreadable(loading, path, text, target.place);
    return;
  }
  readFile(loading, text, {
    outer: state.guards,
    activeOutside: state.active,
    depth: state.context.depth + 1,
    includedBy: include,
  });
}
