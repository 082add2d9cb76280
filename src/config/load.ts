/**
 * Loads a configuration with its Includes in sshd's own order (OpenSSH servconf.c parse_server_config_depth and
 * process_server_config_line_depth, first pass). Never throws: what sshd would refuse becomes a Problem.
 */
import { lowerAscii } from "../../grammar/ascii.ts";
import { type LookedUp, lookUpKeyword } from "../../grammar/keywords.ts";
import { readMatch } from "../../grammar/match.ts";
import { parseOptionText, parseText } from "../../grammar/parser.ts";
import { matchPatternList } from "../../grammar/patterns.ts";
import type { ValueProblem } from "../../grammar/problem.ts";
import { atLeast, type Release, versionText } from "../../grammar/release.ts";
import type { DirectiveLine, GrammarProblem, Tree, Word } from "../../grammar/tree.ts";
import { readValue } from "../../grammar/values.ts";
import { globPaths } from "../files/glob.ts";
import type { FileTree } from "../files/tree.ts";
import { decode, makeSource, type Place, type Source } from "../source/source.ts";
import type {
  Config,
  ConfigFile,
  Criterion,
  Directive,
  IncludeLine,
  IncludeTarget,
  LaterProblem,
  MatchBlock,
  Problem,
} from "./config.ts";
import { anyBehindMethods, isSetBy, repeatProblem, startProblems } from "./other-lines.ts";
import { asPrinted } from "./printed.ts";
import { type SizedFile, sizeProblem } from "./size.ts";

export interface LoadOptions {
  readonly release: Release;
  /** the folder inside the tree that stands for /etc/ssh; Includes below /etc/ssh are looked for there */
  readonly configFolder?: string;
  /** how a path inside the tree is shown to people; default: as it is */
  readonly shownAs?: (path: string) => string;
  /** texts of sshd's own `-o`, in order: "AllowTcpForwarding=no" */
  readonly commandLine?: readonly string[];
}

/** sshd's compiled-in folder (SSHDIR). */
const SSH_FOLDER = "/etc/ssh";
/** servconf.c SERVCONF_MAX_DEPTH */
const MAX_DEPTH = 16;
/** Ours: Includes that include each other twice would otherwise be read 2^16 times. */
const MAX_LINES = 3_000_000;
const MAX_INCLUDED_FILES = 20_000;

interface LoadedText {
  readonly source: Source;
  readonly tree: Tree;
  readonly realPath: string;
  readonly problemsByLine: ReadonlyMap<number, readonly GrammarProblem[]>;
}

interface Loading {
  readonly tree: FileTree;
  readonly options: LoadOptions;
  readonly release: Release;
  readonly files: ConfigFile[];
  readonly directives: Directive[];
  readonly matches: MatchBlock[];
  readonly includes: IncludeLine[];
  readonly problems: Problem[];
  readonly later: LaterProblem[];
  /** what each pattern has found so far: sshd looks once, and keeps a file when it has read it */
  readonly included: Map<string, string[]>;
  /** patterns whose files are being read */
  readonly including: Set<string>;
  readonly limits: Set<string>;
  readonly texts: Map<string, LoadedText | string>;
  readonly keywords: Map<string, LookedUp>;
  /** values that the first pass has taken so far, by keyword */
  readonly setAtStart: Map<string, string[]>;
  lines: number;
  readings: number;
}

/** Where a file is read: what guards it, and whether the first pass is active around it. */
interface Context {
  readonly outer: readonly MatchBlock[];
  readonly activeOutside: boolean;
  readonly depth: number;
  readonly includedBy: IncludeLine | null;
}

/** Reads `path` of the tree and all it includes. An unreadable main file is a fatal problem, as sshd has it. */
export function loadConfig(tree: FileTree, path: string, options: LoadOptions): Config {
  const loading: Loading = {
    tree,
    options,
    release: options.release,
    files: [],
    directives: [],
    matches: [],
    includes: [],
    problems: [],
    later: [],
    included: new Map(),
    including: new Set(),
    limits: new Set(),
    texts: new Map(),
    keywords: new Map(),
    setAtStart: new Map(),
    lines: 0,
    readings: 0,
  };
  for (const text of options.commandLine ?? []) readOption(loading, text);
  const start: Context = { outer: [], activeOutside: true, depth: 0, includedBy: null };
  const main = readText(loading, path);
  if (typeof main === "string")
    reportUnreadable(loading, path, main, startOf(makeSource(shown(loading, path), "")));
  else readFile(loading, main, start);
  const { files, directives, matches, includes, problems } = loading;
  problems.push(...startProblems(directives, options.release));
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

function shown(loading: Loading, path: string): string {
  return loading.options.shownAs?.(path) ?? path;
}

function startOf(source: Source): Place {
  return { source, span: { start: 0, end: 0 } };
}

/** A folder reads as an empty file, as in sshd (fopen of a folder succeeds, its first read does not). */
function readText(loading: Loading, path: string): LoadedText | string {
  const known = loading.texts.get(path);
  if (known !== undefined) return known;
  const content = loading.tree.read(path);
  const read =
    content.kind === "unreadable"
      ? content.reason
      : prepareText(
          loading,
          shown(loading, path),
          content.kind === "file" ? decode(content.bytes) : "",
          content.kind === "file" ? content.realPath : path,
        );
  loading.texts.set(path, read);
  return read;
}

function prepareText(loading: Loading, name: string, text: string, realPath: string): LoadedText {
  const tree = parseText(text, loading.release);
  return { source: makeSource(name, text), tree, realPath, problemsByLine: groupByLine(tree.problems) };
}

function groupByLine(problems: readonly GrammarProblem[]): Map<number, GrammarProblem[]> {
  const grouped = new Map<number, GrammarProblem[]>();
  for (const problem of problems) {
    const list = grouped.get(problem.sshdNumber);
    if (list === undefined) grouped.set(problem.sshdNumber, [problem]);
    else list.push(problem);
  }
  return grouped;
}

function reportUnreadable(loading: Loading, path: string, reason: string, place: Place): void {
  loading.problems.push({
    code: "unreadable",
    weight: "fatal",
    sshdText: asPrinted(`${shown(loading, path)}: ${reason}`),
    message: `sshd cannot read ${shown(loading, path)}: ${reason}`,
    place,
    sshdLine: 0,
  });
}

/** The state of one file while its lines are read. */
interface FileState {
  readonly text: LoadedText;
  readonly context: Context;
  /** the Match line in force */
  block: MatchBlock | null;
  guards: readonly MatchBlock[];
  /** the first pass takes values here */
  active: boolean;
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
    if (++loading.lines > MAX_LINES) {
      loading.limits.add(`more than ${MAX_LINES} lines, Includes counted as often as they are read`);
      return;
    }
    if (line.kind === "directive") readLine(loading, state, line);
    else reportGrammar(loading, state.text, line.sshdNumber, isSilent);
  }
}

function rememberFile(loading: Loading, text: LoadedText, context: Context): void {
  if (loading.files.some((file) => file.source === text.source)) return;
  const { source, tree, realPath } = text;
  loading.files.push({ source, tree, realPath, includedBy: context.includedBy, depth: context.depth });
}

const isSilent = (problem: GrammarProblem): boolean => problem.weight === "silent";

/** Up to 7.7 sshd checks the length of all lines before it parses the first. */
function reportLongLines(loading: Loading, text: LoadedText): void {
  for (const problem of text.tree.problems) {
    if (problem.code === "line-too-long") pushGrammarProblem(loading, text, problem);
  }
}

function reportGrammar(
  loading: Loading,
  text: LoadedText,
  sshdNumber: number,
  wanted: (problem: GrammarProblem) => boolean,
): boolean {
  const found = (text.problemsByLine.get(sshdNumber) ?? []).filter(wanted);
  for (const problem of found) pushGrammarProblem(loading, text, problem);
  return found.length > 0;
}

function pushGrammarProblem(loading: Loading, text: LoadedText, problem: GrammarProblem): void {
  const { code, weight, message, span, sshdNumber } = problem;
  loading.problems.push({
    code,
    weight,
    sshdText:
      weight === "silent"
        ? ""
        : asPrinted(
            `${text.source.path} line ${sshdNumber}${code === "line-too-long" ? " " : ": "}${message}`,
          ),
    message,
    place: { source: text.source, span },
    sshdLine: sshdNumber,
  });
}

function readLine(loading: Loading, state: FileState, line: DirectiveLine): void {
  const { text } = state;
  reportGrammar(loading, text, line.sshdNumber, isSilent);
  if (reportGrammar(loading, text, line.sshdNumber, ({ code }) => code === "no-argument")) return;
  const found = lookUp(loading, line.keyword.value);
  if (found.status === "unknown") pushUnknown(loading, text, line);
  if (reportGrammar(loading, text, line.sshdNumber, ({ code }) => code === "invalid-quotes")) return;
  if (!state.active && !found.inMatch) {
    pushProblem(loading, text, line, {
      code: "not-allowed-in-match",
      weight: "fatal",
      message: `Directive '${line.keyword.value}' is not allowed within a Match block`,
      span: line.keyword.span,
      prefix: "line",
      when: "always",
    });
    return;
  }
  if (found.status === "deprecated" || found.status === "unsupported")
    pushRetired(loading, text, line, found.status);
  if (found.status !== "known" || found.keyword === null) return;
  if (found.keyword.key === "match") readMatchLine(loading, state, line);
  else if (found.keyword.key === "include") readIncludeLine(loading, state, line);
  else readDirective(loading, state, line, found);
}

function lookUp(loading: Loading, spelled: string): LookedUp {
  const known = loading.keywords.get(spelled);
  if (known !== undefined) return known;
  const found = lookUpKeyword(spelled, loading.release);
  loading.keywords.set(spelled, found);
  return found;
}

function pushUnknown(loading: Loading, text: LoadedText, line: DirectiveLine): void {
  pushProblem(loading, text, line, {
    code: "unknown-keyword",
    weight: "counted",
    message: `Bad configuration option: ${line.keyword.value}`,
    span: line.keyword.span,
    prefix: "colon-line",
    when: "always",
  });
}

function pushRetired(
  loading: Loading,
  text: LoadedText,
  line: DirectiveLine,
  status: "deprecated" | "unsupported",
): void {
  const word = status === "deprecated" ? "Deprecated" : "Unsupported";
  const { source } = text;
  loading.problems.push({
    code: `${status}-keyword`,
    weight: "warning",
    sshdText: asPrinted(`${source.path} line ${line.sshdNumber}: ${word} option ${line.keyword.value}`),
    message: `${word} option ${line.keyword.value}`,
    place: { source, span: line.keyword.span },
    sshdLine: line.sshdNumber,
  });
}

const POSITIONS: Readonly<Record<ValueProblem["prefix"], (path: string, line: number) => string>> = {
  line: (path, line) => `${path} line ${line}: `,
  "colon-line": (path, line) => `${path}: line ${line}: `,
  none: () => "",
};

function pushProblem(loading: Loading, text: LoadedText, line: DirectiveLine, problem: ValueProblem): void {
  const { code, weight, message, prefix, span } = problem;
  const position = weight === "silent" ? "" : POSITIONS[prefix](text.source.path, line.sshdNumber);
  loading.problems.push({
    code,
    weight,
    sshdText: asPrinted(position + message),
    message,
    place: { source: text.source, span },
    sshdLine: line.sshdNumber,
  });
}

function readDirective(loading: Loading, state: FileState, line: DirectiveLine, found: LookedUp): void {
  if (found.keyword === null) return;
  const { source } = state.text;
  const reading = readValue(found.keyword, line, loading.release);
  const { key } = found.keyword;
  const before = loading.setAtStart.get(key) ?? [];
  const repeated = repeatProblem(key, line, reading.values ?? [], before, loading.release);
  const problems = repeated === null ? reading.problems : [repeated];
  const now = problems.filter((problem) => applies(problem, state.active, !isSetBy(key, line, before)));
  for (const problem of now) pushProblem(loading, state.text, line, problem);
  if (state.active && reading.values !== null) {
    if (before.length === 0) loading.setAtStart.set(key, [...reading.values]);
    else before.push(...reading.values);
  }
  const directive: Directive = {
    keyword: found.keyword.key,
    args: line.args,
    line,
    place: { source, span: contentSpan(line) },
    valuePlace: { source, span: valueSpan(line) },
    values: reading.values,
    guards: state.guards,
    order: loading.directives.length,
    atStart: state.active,
    origin: "file",
  };
  loading.directives.push(directive);
  if (repeated === null && now.length === 0) rememberLater(loading, state, directive, problems);
}

/** Problems that this pass did not meet wait for a connection (servconf.c parse_server_match_config). */
function rememberLater(
  loading: Loading,
  state: FileState,
  directive: Directive,
  problems: readonly ValueProblem[],
): void {
  const { line, keyword } = directive;
  const matchesBefore = loading.matches.length;
  const push = (message: string, when: LaterProblem["when"], prefix: ValueProblem["prefix"]): void => {
    const sshdText = asPrinted(POSITIONS[prefix](laterName(state), line.sshdNumber) + message);
    loading.later.push({ directive, when, sshdText, matchesBefore });
  };
  const again = keyword === "authenticationmethods" ? anyBehindMethods(line, loading.release) : null;
  if (again !== null) push(again, "again", "line");
  const first = problems.find(({ weight }) => weight === "fatal" || weight === "counted");
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

function contentSpan(line: DirectiveLine): { start: number; end: number } {
  return { start: line.keyword.span.start, end: Math.max(line.keyword.span.end, valueSpan(line).end) };
}

function valueSpan(line: DirectiveLine): { start: number; end: number } {
  const first = line.args[0];
  const last = line.args.findLast((word) => word.span.end > word.span.start) ?? first;
  if (first === undefined || last === undefined) return line.rest.span;
  return { start: first.span.start, end: last.span.end };
}

function readMatchLine(loading: Loading, state: FileState, line: DirectiveLine): void {
  const { source } = state.text;
  const { outer, activeOutside, includedBy } = state.context;
  const reading = readMatch(line, loading.release);
  for (const problem of reading.problems) pushProblem(loading, state.text, line, problem);
  const criteria = (reading.criteria ?? []).map(({ span, ...criterion }) => ({
    ...criterion,
    place: { source, span },
  }));
  const block: MatchBlock = {
    criteria,
    line,
    place: { source, span: contentSpan(line) },
    outer,
    static:
      reading.criteria !== null && criteria.every((criterion) => holdsAtStart(criterion, loading.release)),
    lost: includedBy !== null && outer.length === 0 && losesIncludedMatches(loading.release),
    order: loading.matches.length,
  };
  loading.matches.push(block);
  state.block = block;
  state.guards = [...outer, block];
  state.active = activeOutside && block.static;
}

/** Without a connection `all` holds, and a Version that fits; in 9.9p1 invalid-user too, a bug of that release. */
function holdsAtStart(criterion: Criterion, release: Release): boolean {
  if (criterion.attribute === "all") return true;
  if (criterion.attribute === "invalid-user") return !atLeast(release, "9.9p2");
  if (criterion.attribute !== "version") return false;
  return matchPatternList(versionText(release), criterion.items, release) === 1;
}

/** OpenSSH bug 3122, in 8.2 and 8.3 */
function losesIncludedMatches(release: Release): boolean {
  return !atLeast(release, "8.4");
}

function readIncludeLine(loading: Loading, state: FileState, line: DirectiveLine): void {
  const { source } = state.text;
  const place = { source, span: contentSpan(line) };
  const targets: IncludeTarget[] = [];
  const include: IncludeLine = { line, place, guards: state.guards, targets };
  loading.includes.push(include);
  for (const word of includePatterns(line)) {
    const target = findTarget(loading, word, line, source);
    targets.push(target);
    readTarget(loading, state, include, target);
  }
  reportIncludeWords(loading, state.text, line);
}

/**
 * A pattern is looked up once. While its files are read for the first time, an Include of the same pattern in one of
 * them sees only the files before it; when the configuration is read again for a connection it sees all, without end.
 */
function readTarget(loading: Loading, state: FileState, include: IncludeLine, target: IncludeTarget): void {
  const { lookedFor, matched } = target;
  const known = loading.included.get(lookedFor);
  if (known !== undefined && loading.including.has(lookedFor)) noteLoop(loading, include);
  if (known === undefined && matched.length === 0) loading.included.set(lookedFor, []);
  if (known === undefined) loading.including.add(lookedFor);
  for (const path of matched) {
    readIncluded(loading, state, include, { target, path });
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
  loading.later.push({ directive: null, when: "always", sshdText, matchesBefore });
  loading.problems.push({
    code: "include-loop-later",
    weight: "silent",
    sshdText: "",
    message: "sshd -t accepts this Include, but it leads back to this file and ends every connection",
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
    const span = word?.span ?? line.keyword.span;
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
    place: { source, span: word.span },
    lookedFor,
    matched: [...(loading.included.get(lookedFor) ?? search(loading, lookedFor))],
  };
}

function search(loading: Loading, pattern: string): readonly string[] {
  return pattern.startsWith("/") ? globPaths(loading.tree, pattern) : [];
}

/** The absolute pattern; `~` is not expanded and therefore finds nothing. 8.2 puts the keyword in the pattern's place. */
function locate(loading: Loading, pattern: string, keyword: string): string {
  if (pattern.startsWith("~")) return pattern;
  const inFolder = atLeast(loading.release, "8.3") ? pattern : keyword;
  const absolute = pattern.startsWith("/") ? pattern : `${SSH_FOLDER}/${inFolder}`;
  const folder = loading.options.configFolder ?? SSH_FOLDER;
  if (folder === SSH_FOLDER || !absolute.startsWith(`${SSH_FOLDER}/`)) return absolute;
  return escapeGlob(folder) + absolute.slice(SSH_FOLDER.length);
}

function escapeGlob(path: string): string {
  return path.replace(/[\\*?[]/g, "\\$&");
}

function readIncluded(
  loading: Loading,
  state: FileState,
  include: IncludeLine,
  found: { readonly target: IncludeTarget; readonly path: string },
): void {
  if (++loading.readings > MAX_INCLUDED_FILES) {
    loading.limits.add(`more than ${MAX_INCLUDED_FILES} included files`);
    return;
  }
  const text = readText(loading, found.path);
  if (typeof text === "string") {
    reportUnreadable(loading, found.path, text, found.target.place);
    return;
  }
  readFile(loading, text, {
    outer: state.guards,
    activeOutside: state.active,
    depth: state.context.depth + 1,
    includedBy: include,
  });
}

/** sshd counts the text of an option as line 0. */
function atLineZero(tree: Tree): Tree {
  return {
    ...tree,
    lines: tree.lines.map((line) => ({ ...line, sshdNumber: 0 })),
    problems: tree.problems.map((problem) => ({ ...problem, sshdNumber: 0 })),
  };
}

/** `-o` texts are read before the file, as global lines named "command-line" (servconf.c, sshd.c case 'o'). */
function readOption(loading: Loading, option: string): void {
  const tree = atLineZero(parseOptionText(option, loading.release));
  const source = makeSource("command-line", option);
  const text: LoadedText = { source, tree, realPath: "", problemsByLine: groupByLine(tree.problems) };
  const context: Context = { outer: [], activeOutside: true, depth: 0, includedBy: null };
  const state: FileState = { text, context, block: null, guards: [], active: true };
  for (const line of tree.lines) {
    if (line.kind !== "directive") continue;
    const keyword = lowerAscii(line.keyword.value);
    if (keyword === "match" || keyword === "include") {
      pushProblem(loading, text, line, {
        code: "not-an-option",
        weight: "fatal",
        message: `${keyword === "match" ? "Match" : "Include"} directive not supported as a command-line option`,
        span: line.keyword.span,
        prefix: "none",
        when: "always",
      });
      continue;
    }
    const before = loading.directives.length;
    readLine(loading, state, line);
    const added = loading.directives[before];
    if (added !== undefined) loading.directives[before] = { ...added, origin: "option" };
  }
}
