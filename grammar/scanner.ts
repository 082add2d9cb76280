/**
 * The lexer: one pass over the text that follows sshd's own, context-dependent rules (keyword first, then words by the
 * release's splitter). A scanner of our own because no regular lexer can: what a byte is depends on the keyword, on
 * quotes and on bytes that sshd never sees. Invariant: every byte is in exactly one token, in order.
 */
import { lowerAscii } from "./ascii.ts";
import { type LineRules, type LogicalLine, lineRules, pieceAt, readLogicalLines } from "./logical-lines.ts";
import { atLeast, type Release } from "./release.ts";
import {
  type ArgumentsEnd,
  type GrammarProblem,
  packToken,
  type Rest,
  type Span,
  type TokenKind,
  type Word,
} from "./tree.ts";
import {
  type DelimitedWord,
  delimitWord,
  delimitWords,
  isPlainComment,
  type LogicalWord,
  splitWords,
  type WordList,
} from "./words.ts";

/** What the scanner has read of a directive; it rides on the token of its line to the parser. */
export interface DirectiveHead {
  readonly kind: "directive";
  readonly keyword: Word;
  readonly args: readonly Word[];
  readonly ending: ArgumentsEnd;
  readonly rest: Rest;
  readonly comment: Span | null;
}

/** What makes a line what it is; a line without is blank. */
export type LineMark =
  | DirectiveHead
  | { readonly kind: "vanished"; readonly cause: "unclosed-quote" | "leading-equals" }
  | { readonly kind: "comment" };

/** Where a line stands in the file, and its number as an editor shows it and as sshd prints it. */
export interface LinePlace {
  readonly start: number;
  readonly end: number;
  readonly number: number;
  readonly sshdNumber: number;
}

/** Receives the lines in order, each as its place and what makes it what it is; null: it is blank. */
export interface LineSink {
  /** each token in order, packed; the scanner adds to it */
  readonly tokens: number[];
  line(place: LinePlace, mark: LineMark | null): void;
  problem(problem: GrammarProblem): void;
}

/** Release-dependent rules, looked up once a file. */
interface ScanRules {
  readonly stripsTrailing: boolean;
  readonly argvSplit: boolean;
  readonly matchByArgv: boolean;
  readonly maxLine: number;
}

/** Keywords that take the raw rest of the line (servconf.c sForceCommand, sAuthorizedKeysCommand, sVersionAddendum …). */
const RAW_KEYWORDS: ReadonlySet<string> = new Set([
  "forcecommand",
  "authorizedkeyscommand",
  "authorizedprincipalscommand",
  "versionaddendum",
]);

export function scan(text: string, release: Release, lines: LineRules, sink: LineSink): void {
  const rules: ScanRules = {
    stripsTrailing: atLeast(release, "7.5"),
    argvSplit: atLeast(release, "8.7"),
    matchByArgv: atLeast(release, "9.9"),
    maxLine: atLeast(release, "7.8") ? Number.POSITIVE_INFINITY : 4095,
  };
  readLogicalLines(text, lines, (line) => {
    scanLine({ text, line, sink, cursor: line.start, mark: null }, rules);
  });
}

/** What stands in a text of one line; null where that is no directive. */
export function readDirective(text: string, release: Release): DirectiveHead | null {
  const mark = readMark(text, release);
  return mark?.kind === "directive" ? mark : null;
}

/** What a text of one line is; null: it is blank. */
export function readMark(text: string, release: Release): LineMark | null {
  const marks: (LineMark | null)[] = [];
  scan(text, release, lineRules(release), {
    tokens: [],
    line: (_, mark) => {
      marks.push(mark);
    },
    problem: () => {},
  });
  return marks[0] ?? null;
}

/** One logical line on its way to tokens; `cursor` is the file offset up to which bytes have a token. */
interface LineOutput {
  readonly text: string;
  readonly line: LogicalLine;
  readonly sink: LineSink;
  cursor: number;
  mark: LineMark | null;
}

const COMMENT: LineMark = { kind: "comment" };

/** `[from, to)` of the line's text becomes one token, or several where hidden bytes lie between its pieces. */
function emit(out: LineOutput, kind: TokenKind, from: number, to: number): void {
  if (from >= to) return;
  const { pieces } = out.line;
  if (pieces === null) {
    fillTo(out, from);
    push(out, kind, to);
    return;
  }
  for (let index = pieceAt(pieces, from); index < pieces.length; index++) {
    const piece = pieces[index];
    if (piece === undefined || piece.at >= to) return;
    const first = Math.max(from, piece.at);
    const last = Math.min(to, piece.at + piece.length);
    if (first >= last) continue;
    fillTo(out, piece.start + first - piece.at);
    push(out, kind, piece.start + last - piece.at);
  }
}

/** Bytes that no token has yet: the blanks in front of a line, or what a NUL hides. */
function fillTo(out: LineOutput, offset: number): void {
  if (offset <= out.cursor) return;
  const leading =
    out.cursor === out.line.start && (!out.line.glued || !out.text.slice(out.cursor, offset).includes("\0"));
  push(out, leading ? "blank" : "hidden", offset);
}

function push(out: LineOutput, kind: TokenKind, end: number): void {
  if (end <= out.cursor) return;
  out.sink.tokens.push(packToken(kind, out.cursor));
  out.cursor = end;
}

/** Where position `at` of the line's text stands in the file. */
function fileOffset({ pieces, start }: LogicalLine, at: number): number {
  if (pieces === null) return at;
  const found = pieces[pieceAt(pieces, at)];
  return found === undefined ? start : found.start + at - found.at;
}

/** Where the character before position `to` ends in the file; `start`: where nothing stands before it. */
function fileEnd(line: LogicalLine, from: number, to: number, start: number): number {
  return to <= from ? start : fileOffset(line, to - 1) + 1;
}

function fileSpan(line: LogicalLine, from: number, to: number): Span {
  const start = fileOffset(line, from);
  return { start, end: fileEnd(line, from, to, start) };
}

function fileWord(line: LogicalLine, word: LogicalWord): Word {
  if (line.pieces === null) return word;
  const start = fileOffset(line, word.start);
  return { value: word.value, start, end: fileEnd(line, word.start, word.end, start), quoted: word.quoted };
}

function fileRest(line: LogicalLine, from: number, to: number): Rest {
  const start = fileOffset(line, from);
  return { text: line.text.slice(from, to), start, end: fileEnd(line, from, to, start) };
}

function report(
  out: LineOutput,
  code: GrammarProblem["code"],
  weight: GrammarProblem["weight"],
  message: string,
  span: Span,
): void {
  const { number, sshdNumber } = out.line;
  out.sink.problem({ code, weight, message, span, number, sshdNumber });
}

/** Whatever of the line is left: comment cut off by `#`, hidden bytes, the line end. */
function finish(out: LineOutput): void {
  const { line } = out;
  const stop = line.newline ? line.end - 1 : line.end;
  if (line.commentStart !== -1) {
    fillTo(out, line.commentStart);
    push(out, "comment", stop);
    out.mark ??= COMMENT;
  }
  fillTo(out, stop);
  if (line.newline) push(out, "newline", line.end);
  if (line.glued) {
    const message = "a NUL byte hides the rest of its line and joins the next line to it";
    report(out, "hidden-bytes", "silent", message, { start: line.start, end: line.end });
  }
  out.sink.line(line, out.mark);
}

function scanLine(out: LineOutput, rules: ScanRules): void {
  const { line } = out;
  if (line.end - line.start >= rules.maxLine) {
    report(out, "line-too-long", "fatal", "too long", { start: line.start, end: line.end });
  }
  scanContent(out, rules);
  finish(out);
}

function scanContent(out: LineOutput, rules: ScanRules): void {
  const { text, from, to } = out.line;
  if (from === to) return;
  const end = rules.stripsTrailing ? strippedEnd(text, from, to) : to;
  if (isPlainComment(text, from, end)) emitComment(out, from, end);
  else scanWords(out, rules, from, end);
  emit(out, "blank", end, to);
}

function scanWords(out: LineOutput, rules: ScanRules, from: number, end: number): void {
  const { text } = out.line;
  const found = keywordWord(text, from, end);
  if (found === null) emitVanished(out, end, "unclosed-quote");
  else if (found.word.value === "") emitVanished(out, end, "leading-equals");
  else if (found.word.value.startsWith("#")) emitComment(out, from, end);
  else scanDirective(out, rules, found.word, found.next, end);
}

/** The first word, or the one behind a first `=`; null: an unclosed quote (servconf.c process_server_config_line). */
export function keywordWord(text: string, from: number, end: number): DelimitedWord | null {
  const first = delimitWord(text, from, end);
  return first?.word.value === "" && first.next !== null ? delimitWord(text, first.next, end) : first;
}

function emitComment(out: LineOutput, from: number, end: number): void {
  emit(out, "comment", from, end);
  out.mark = COMMENT;
}

function emitVanished(out: LineOutput, end: number, cause: "unclosed-quote" | "leading-equals"): void {
  const { from } = out.line;
  emit(out, "vanished", from, end);
  out.mark = { kind: "vanished", cause };
  const code = cause === "unclosed-quote" ? "unclosed-quote-keyword" : "leading-equals";
  report(out, code, "silent", "sshd drops this line without a message", fileSpan(out.line, from, end));
}

/** Trailing space, tab, CR and form feed go, but never the first byte (servconf.c process_server_config_line, 7.5+). */
function strippedEnd(text: string, from: number, to: number): number {
  let end = to;
  for (; end > from + 1; end--) {
    const code = text.charCodeAt(end - 1);
    if (code !== 32 && code !== 9 && code !== 13 && code !== 12) break;
  }
  return end;
}

function scanDirective(
  out: LineOutput,
  rules: ScanRules,
  keyword: LogicalWord,
  next: number | null,
  end: number,
): void {
  const { text } = out.line;
  const restStart = next ?? end;
  const name = lowerAscii(keyword.value);
  const list = readArguments(text, restStart, end, { rules, name, absent: next === null });
  const raw = RAW_KEYWORDS.has(name);
  const hasComment = list.closed && list.lost !== true && list.tail < end && !raw;
  const head: DirectiveHead = {
    kind: "directive",
    keyword: fileWord(out.line, keyword),
    args: out.line.pieces === null ? list.words : list.words.map((word) => fileWord(out.line, word)),
    ending: list.closed && list.lost !== true ? "complete" : "unclosed-quote",
    rest: fileRest(out.line, restStart, end),
    comment: commentSpan(out, hasComment ? list.tail : -1, end),
  };
  emit(out, "separator", out.line.from, keyword.start);
  emit(out, "keyword", keyword.start, keyword.end);
  out.mark = head;
  emit(out, "separator", keyword.end, restStart);
  if (raw) emit(out, "argument", restStart, end);
  else emitArguments(out, list, restStart, end, rules);
  reportArguments(out, rules, { keyword, restStart, end, list });
}

function commentSpan(out: LineOutput, tail: number, end: number): Span | null {
  if (tail !== -1) return fileSpan(out.line, tail, end);
  const { commentStart, newline, end: lineEnd } = out.line;
  return commentStart === -1 ? null : { start: commentStart, end: newline ? lineEnd - 1 : lineEnd };
}

interface ArgumentRules {
  readonly rules: ScanRules;
  readonly name: string;
  /** nothing stands behind the keyword, not even a separator: strdelim's pointer is NULL */
  readonly absent: boolean;
}

function readArguments(text: string, from: number, end: number, how: ArgumentRules): WordList {
  const { rules, name, absent } = how;
  if (absent) return { words: [], closed: true, tail: end };
  if (!rules.argvSplit) return delimitWords(text, from, end, { comments: false });
  const split = splitWords(text, from, end);
  if (name !== "match" || rules.matchByArgv || !split.closed) return split;
  // 8.7 to 9.8: the line passed the check of its quotes, and match_cfg_line takes it apart in the old way
  const list = delimitWords(text, from, end, { comments: true });
  return list.closed ? list : { ...list, closed: true, lost: true };
}

function emitArguments(
  out: LineOutput,
  list: WordList,
  restStart: number,
  end: number,
  rules: ScanRules,
): void {
  let at = restStart;
  for (const word of list.words) {
    if (word.start > at) emit(out, rules.argvSplit ? "blank" : "separator", at, word.start);
    emit(out, "argument", word.start, word.end);
    at = Math.max(at, word.end);
  }
  if (list.tail >= end) {
    emit(out, rules.argvSplit ? "blank" : "separator", at, end);
    return;
  }
  emit(out, "blank", at, list.tail);
  const dropped = list.lost === true || !rules.argvSplit;
  const tailKind = list.lost !== true && list.closed ? "comment" : dropped ? "vanished" : "argument";
  emit(out, tailKind, list.tail, end);
}

interface ReadDirective {
  readonly keyword: LogicalWord;
  readonly restStart: number;
  readonly end: number;
  readonly list: WordList;
}

function reportArguments(out: LineOutput, rules: ScanRules, read: ReadDirective): void {
  const { keyword, restStart, end, list } = read;
  if (rules.argvSplit && restStart >= end) {
    const message = `no argument after keyword "${keyword.value}"`;
    report(out, "no-argument", "counted", message, fileSpan(out.line, keyword.start, keyword.end));
  } else if (!list.closed && rules.argvSplit) {
    report(out, "invalid-quotes", "counted", "invalid quotes", fileSpan(out.line, list.tail, end));
  } else if (!list.closed || list.lost === true) {
    const message = "sshd drops the rest of this line, from an unclosed quote on";
    report(out, "unclosed-quote-dropped", "silent", message, fileSpan(out.line, list.tail, end));
  }
}
