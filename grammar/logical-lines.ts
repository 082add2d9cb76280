/**
 * From bytes to the lines that sshd sees (OpenSSH servconf.c load_server_config): leading blanks are dropped, a NUL
 * hides the rest of its physical line *and* the line end, so the next line is glued on; up to 8.6 a line is cut at its
 * first `#`.
 */
import { indexAt } from "../src/source/source.ts";
import { atLeast, type Release } from "./release.ts";

/** A run of a joined line that stands in one piece in the file. */
export interface Piece {
  /** offset in the joined text */
  readonly at: number;
  /** offset in the file */
  readonly start: number;
  readonly length: number;
}

export interface LogicalLine {
  /** the line is `[from, to)` of it: of the file itself, or of the text joined from pieces */
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** null: `text` is the file, so an offset in it is one in the file; else in order and never empty */
  readonly pieces: readonly Piece[] | null;
  /** a NUL hides bytes of it */
  readonly glued: boolean;
  readonly start: number;
  /** after the LF, or the end of the file */
  readonly end: number;
  /** up to 8.6: where the comment cut off by `#` starts in the file; -1 without */
  readonly commentStart: number;
  /** true when the line ends with LF that sshd sees */
  readonly newline: boolean;
  /** physical line number from 1 */
  readonly number: number;
  /** as sshd counts them: a line that goes on behind a NUL is one */
  readonly sshdNumber: number;
}

const HASH = "#";

/** Index of the piece that holds the byte at `at` of the joined text. */
export function pieceAt(pieces: readonly Piece[], at: number): number {
  return indexAt(pieces, (piece) => piece.at, at);
}

/** How a release turns bytes into lines; computed once a file. */
export interface LineRules {
  readonly cutsAtHash: boolean;
}

export function lineRules(release: Release): LineRules {
  return { cutsAtHash: !atLeast(release, "8.7") };
}

/**
 * Calls `emit` for each logical line in order. Two loops on purpose: in one, V8 (Node.js 20) floats the string
 * searches of the rare path into the common one and each line costs a search through the rest of the file.
 */
export function readLogicalLines(text: string, rules: LineRules, emit: (line: LogicalLine) => void): void {
  if (text.includes("\0")) readGluedLines(text, rules, emit);
  else readPlainLines(text, rules, emit);
}

function readPlainLines(text: string, rules: LineRules, emit: (line: LogicalLine) => void): void {
  let number = 1;
  for (let at = 0; at < text.length; number++) {
    const line = readPlainLine(text, at, number, rules);
    emit(line);
    at = line.end;
  }
}

function readGluedLines(text: string, rules: LineRules, emit: (line: LogicalLine) => void): void {
  let number = 1;
  for (let at = 0, sshdNumber = 1; at < text.length; sshdNumber++) {
    const line = readGluedLine(text, at, { number, sshdNumber }, rules);
    emit(line);
    number += countLineEnds(text, line.start, line.end);
    at = line.end;
  }
}

function skipLeadingBlanks(text: string, from: number, end: number): number {
  let at = from;
  for (; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 9 && code !== 13) break;
  }
  return at;
}

function readPlainLine(text: string, start: number, number: number, rules: LineRules): LogicalLine {
  const lf = text.indexOf("\n", start);
  const stop = lf === -1 ? text.length : lf;
  let contentEnd = stop;
  let commentStart = -1;
  if (rules.cutsAtHash) {
    // the slice keeps this linear: a search in the whole text would run on to its end
    const hash = text.slice(start, stop).indexOf(HASH);
    if (hash !== -1) {
      contentEnd = start + hash;
      commentStart = contentEnd;
    }
  }
  const begin = skipLeadingBlanks(text, start, contentEnd);
  return {
    text,
    from: begin,
    to: contentEnd,
    pieces: null,
    glued: false,
    start,
    end: lf === -1 ? text.length : lf + 1,
    commentStart,
    newline: lf !== -1,
    number,
    sshdNumber: number,
  };
}

function readGluedLine(
  text: string,
  start: number,
  numbers: Pick<LogicalLine, "number" | "sshdNumber">,
  rules: LineRules,
): LogicalLine {
  const pieces: Piece[] = [];
  let joined = "";
  let glued = false;
  let lineStart = start;
  for (;;) {
    const physical = readPhysicalLine(text, lineStart, rules);
    const begin = skipLeadingBlanks(text, lineStart, physical.contentEnd);
    if (begin < physical.contentEnd || pieces.length === 0) {
      pieces.push({ at: joined.length, start: begin, length: physical.contentEnd - begin });
    }
    glued ||= physical.hidden;
    joined += text.slice(begin, physical.contentEnd);
    lineStart = physical.end;
    if (!physical.hidden || physical.end === text.length) {
      const newline = !physical.hidden && text.charAt(physical.end - 1) === "\n";
      const { end, commentStart } = physical;
      const to = joined.length;
      return { text: joined, from: 0, to, pieces, glued, start, end, commentStart, newline, ...numbers };
    }
  }
}

interface PhysicalLine {
  readonly contentEnd: number;
  readonly commentStart: number;
  readonly end: number;
  /** a NUL hides the LF */
  readonly hidden: boolean;
}

function readPhysicalLine(text: string, start: number, rules: LineRules): PhysicalLine {
  const lf = text.indexOf("\n", start);
  const stop = lf === -1 ? text.length : lf;
  const end = lf === -1 ? text.length : lf + 1;
  const line = text.slice(start, stop);
  const nul = line.indexOf("\0");
  const hash = rules.cutsAtHash ? line.indexOf(HASH) : -1;
  if (hash !== -1 && (nul === -1 || hash < nul)) {
    return { contentEnd: start + hash, commentStart: start + hash, end, hidden: false };
  }
  if (nul !== -1) return { contentEnd: start + nul, commentStart: -1, end, hidden: true };
  return { contentEnd: stop, commentStart: -1, end, hidden: false };
}

function countLineEnds(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at !== -1 && at < to; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
