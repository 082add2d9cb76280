/**
 * Loads a configuration with its Includes in sshd's own order (OpenSSH servconf.c parse_server_config_depth and
 * process_server_config_line_depth, first pass). Never throws: what sshd would refuse becomes a Problem.
 */
import { lookUpKeyword } from "../../grammar/keywords.ts";
import { parseOptionText } from "../../grammar/parser.ts";
import { isReadWith, SUBSYSTEM_CRASH } from "../../grammar/release-bugs.ts";
import type { DirectiveLine, GrammarProblem, Tree } from "../../grammar/tree.ts";
import type { FileTree } from "../files/tree.ts";
import { makeSource } from "../source/source.ts";
import type { Config, Problem } from "./config.ts";
import { readDirective } from "./load-directive.ts";
import { readIncludeLine } from "./load-include.ts";
import { readMatchLine } from "./load-match.ts";
import {
  isSilent,
  pushProblem,
  pushRetired,
  pushUnknown,
  reportGrammar,
  reportLongLines,
  reportUnreadable,
} from "./load-problems.ts";
import {
  type Context,
  type FileState,
  groupByLine,
  type LoadedText,
  type Loading,
  type LoadOptions,
  noteBug,
  readText,
  shown,
  startLoading,
  startOf,
} from "./loading.ts";
import { crashingLines, startProblems } from "./other-lines.ts";
import { type SizedFile, sizeProblem } from "./size.ts";

export type { LoadOptions } from "./loading.ts";

/** servconf.c SERVCONF_MAX_DEPTH */
const MAX_DEPTH = 16;
/** Ours, as an Include may stand in a loop of 2^16 readings. */
const MAX_SETTINGS = 200_000;

/** Reads `path` of the tree and all it includes. An unreadable main file is a fatal problem, as sshd has it. */
export function loadConfig(tree: FileTree, path: string, options: LoadOptions): Config {
  const loading = startLoading(tree, options);
  for (const text of options.commandLine ?? []) readOption(loading, text);
  const start: Context = { outer: [], activeOutside: true, depth: 0, includedBy: null };
  const main = readText(loading, path);
  if (typeof main === "string")
    reportUnreadable(loading, path, main, startOf(makeSource(shown(loading, path), "")));
  else readFile(loading, main, start);
  const { files, directives, matches, includes, problems } = loading;
  problems.push(...startProblems(directives, loading.atEnd, options.release));
  noteCrash(loading);
  if (typeof main !== "string") problems.push(...sizeProblems(loading, main));
  return {
    release: options.release,
    files,
    directives,
    matches,
    includes,
    problems,
    later: loading.later,
    limits: [...loading.limits],
  };
}

/** What sshd does with each line of a block that holds, once it has read all. */
function noteCrash(loading: Loading): void {
  const crashing = crashingLines(loading.directives);
  if (crashing.length === 0) return;
  noteBug(loading, SUBSYSTEM_CRASH);
  if (!isReadWith(SUBSYSTEM_CRASH, loading.release)) return;
  const matchesBefore = loading.matches.length;
  for (const directive of crashing) {
    const { place } = directive;
    loading.later.push({ directive, when: "active", place, sshdText: CRASH, matchesBefore });
    loading.problems.push({
      code: "subsystem-lockout",
      weight: "silent",
      sshdText: "",
      message: "Subsystem stands in Match blocks alone, which makes sshd crash",
      place,
      sshdLine: directive.line.sshdNumber,
    });
  }
}

const CRASH = "sshd crashes: Subsystem stands in Match blocks only (OpenSSH bug 3906)";

function sizeProblems(loading: Loading, main: LoadedText): readonly Problem[] {
  const included: SizedFile[] = [];
  for (const [pattern, paths] of loading.included) {
    if (paths.length === 0) included.push({ pattern, path: null, text: "" });
    for (const path of paths) {
      const read = loading.texts.get(path);
      if (typeof read === "object") included.push({ pattern, path, text: read.source.text });
    }
  }
  const { text } = main.source;
  const problem = sizeProblem({ text, place: startOf(main.source) }, included, loading.release);
  return problem === null ? [] : [problem];
}

function readFile(loading: Loading, text: LoadedText, context: Context): void {
  rememberFile(loading, text, context);
  if (context.depth > MAX_DEPTH) {
    const message = "Too many recursive configuration includes";
    const place = context.includedBy?.place ?? startOf(text.source);
    loading.problems.push({
      code: "include-depth",
      weight: "fatal",
      sshdText: message,
      message: "an Include leads back to itself, or more than 16 levels deep: sshd refuses that",
      place,
      sshdLine: 0,
    });
    return;
  }
  reportLongLines(loading, text);
  const state: FileState = {
    text,
    context,
    block: null,
    guards: context.outer,
    active: context.activeOutside,
  };
  for (const line of text.tree.lines) {
    if (line.kind !== "directive") {
      reportGrammar(loading, state.text, line.sshdNumber, isSilent);
      continue;
    }
    if (++loading.settings > MAX_SETTINGS) {
      loading.limits.add(
        `more than ${MAX_SETTINGS} settings, those of Includes counted as often as they are read`,
      );
      return;
    }
    readLine(loading, state, line);
  }
}

function rememberFile(loading: Loading, text: LoadedText, context: Context): void {
  if (loading.files.some((file) => file.source === text.source)) return;
  const { source, tree, realPath } = text;
  loading.files.push({ source, tree, realPath, includedBy: context.includedBy, depth: context.depth });
}

function readLine(loading: Loading, state: FileState, line: DirectiveLine): void {
  const { text } = state;
  reportGrammar(loading, text, line.sshdNumber, isSilent);
  if (reportGrammar(loading, text, line.sshdNumber, isWithoutArgument)) return;
  const found = lookUpKeyword(line.keyword.value, loading.release);
  if (found.status === "unknown") pushUnknown(loading, text, line);
  if (reportGrammar(loading, text, line.sshdNumber, isOfQuotes)) return;
  if (!state.active && !found.inMatch) {
    pushProblem(loading, text, line, {
      code: "not-allowed-in-match",
      weight: "fatal",
      message: `Directive '${line.keyword.value}' is not allowed within a Match block`,
      span: line.keyword,
      prefix: "line",
      when: "always",
    });
    return;
  }
  if (found.status === "deprecated" || found.status === "unsupported")
    pushRetired(loading, text, line, found.status);
  if (found.status !== "known" || found.keyword === null) return;
  if (line.sshdNumber === 0 && refuseAsOption(loading, state, line, found.keyword.key)) return;
  if (found.keyword.key === "match") readMatchLine(loading, state, line);
  else if (found.keyword.key === "include") readIncludeLine(loading, state, line, readFile);
  else readDirective(loading, state, line, found);
}

/** Options are told by their line number, as sshd does it (servconf.c, `cmdline`). */
function refuseAsOption(loading: Loading, state: FileState, line: DirectiveLine, keyword: string): boolean {
  if (keyword !== "match" && keyword !== "include") return false;
  pushProblem(loading, state.text, line, {
    code: "not-an-option",
    weight: "fatal",
    message: `${keyword === "match" ? "Match" : "Include"} directive not supported as a command-line option`,
    span: line.keyword,
    prefix: "none",
    when: "always",
  });
  return true;
}

const isWithoutArgument = ({ code }: GrammarProblem): boolean => code === "no-argument";
const isOfQuotes = ({ code }: GrammarProblem): boolean => code === "invalid-quotes";

/** sshd counts the text of an option as line 0. */
function atLineZero(tree: Tree): Tree {
  return {
    ...tree,
    lines: tree.lines.map((line) => ({ ...line, sshdNumber: 0 })),
    problems: tree.problems.map((problem) => ({ ...problem, sshdNumber: 0 })),
  };
}

/** Blanks in front of a file's line are no part of it; here they are an empty word, and a second one ends the line. */
const VANISHING = /^[ \t\r\n]+(?:""|=[ \t\r\n]*(?:""|=))/;

/** `-o` texts are read before the file, as global lines named "command-line" (servconf.c, sshd.c case 'o'). */
function readOption(loading: Loading, option: string): void {
  if (VANISHING.test(option)) return;
  const tree = atLineZero(parseOptionText(option, loading.release));
  const source = makeSource("command-line", option);
  const text: LoadedText = { source, tree, realPath: "", problemsByLine: groupByLine(tree.problems) };
  const context: Context = { outer: [], activeOutside: true, depth: 0, includedBy: null };
  const state: FileState = { text, context, block: null, guards: [], active: true };
  for (const line of tree.lines) {
    if (line.kind !== "directive") continue;
    const before = loading.directives.length;
    readLine(loading, state, line);
    const added = loading.directives[before];
    if (added !== undefined) loading.directives[before] = { ...added, origin: "option" };
  }
}
