/**
 * The concrete syntax tree: plain readonly data. Text is latin1, one character is one byte, so every position is a
 * byte offset. Invariant: every byte of a file is in exactly one token, and printing the tree gives the file back.
 */
import type { Release } from "./release.ts";

/** Half-open range of byte offsets into one file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * blank: white space sshd skips · keyword · separator: between keyword and first argument (blanks, `=`) · argument:
 * one word or a piece of one · comment: from an effective `#` to the end of line · newline: LF · hidden: bytes that
 * sshd never sees (a NUL and the rest of its physical line with the LF; white space that starts a glued line) ·
 * vanished: text of a line that sshd drops without a message.
 */
export type TokenKind = (typeof TOKEN_KINDS)[number];

const TOKEN_KINDS = [
  "blank",
  "keyword",
  "separator",
  "argument",
  "comment",
  "newline",
  "hidden",
  "vanished",
] as const;

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly text: string;
}

/** One word as sshd reads it, and where it stands in the file, quotes included. */
export interface Word extends Span {
  /** bytes after quotes and escapes are taken away */
  readonly value: string;
  /** true when any part of it was quoted */
  readonly quoted: boolean;
}

/** What follows keyword and separator on a line. */
export interface Rest extends Span {
  readonly text: string;
}

/** How the list of arguments ended: see OpenSSH misc.c argv_split (8.7+) and strdelim (up to 8.6). */
export type ArgumentsEnd = "complete" | "unclosed-quote";

interface LineBase extends Span {
  /** first physical line, counted from 1 by LF: what an editor shows */
  readonly number: number;
  /** the number that sshd prints: it counts the line ends left after NULs have swallowed some */
  readonly sshdNumber: number;
}

export interface BlankLine extends LineBase {
  readonly kind: "blank";
}

export interface CommentLine extends LineBase {
  readonly kind: "comment";
}

/** A line that sshd drops silently: unclosed quote in the keyword (`AllowTcp"Forwarding no`) or `==` in front. */
export interface VanishedLine extends LineBase {
  readonly kind: "vanished";
  readonly cause: "unclosed-quote" | "leading-equals";
}

/** Any line with a keyword, `Match` and `Include` too. */
export interface DirectiveLine extends LineBase {
  readonly kind: "directive";
  readonly keyword: Word;
  /**
   * words of the arguments, by the rules of the release (a Match line has its own up to 9.8). Up to 8.6 a word may be
   * empty: strdelim yields one after a closing quote or `=` at the end of the line; sshd's loops stop at it.
   */
  readonly args: readonly Word[];
  readonly ending: ArgumentsEnd;
  /**
   * what sshd holds after keyword and separator, before it is split; trailing white space already stripped as that
   * release does. Keywords that take the raw rest of the line (ForceCommand …) use it. Empty when nothing follows.
   */
  readonly rest: Rest;
  /** a comment at the end of the line that sshd does not read as an argument */
  readonly comment: Span | null;
}

export type Line = BlankLine | CommentLine | VanishedLine | DirectiveLine;

export interface Tree {
  readonly text: string;
  readonly release: Release;
  /**
   * all tokens in order, each as one number (`packToken`): a long file has hundreds of thousands. A token ends where the
   * next one starts, the last one with the text. V8's strings have fewer than 2^29 characters, so four bytes hold each.
   */
  readonly tokens: ArrayLike<number>;
  readonly lines: readonly Line[];
  readonly problems: readonly GrammarProblem[];
}

/**
 * What sshd refuses, or drops, at the level of lines and words.
 * weight: `counted` ends the file after its last line ("terminating, N bad configuration options"), `fatal` at once,
 * `silent` is no message of sshd at all (a vanished line, hidden bytes).
 */
export interface GrammarProblem {
  readonly code:
    | "invalid-quotes"
    | "no-argument"
    | "unclosed-quote-keyword"
    | "leading-equals"
    | "hidden-bytes"
    | "unclosed-quote-dropped"
    | "line-too-long";
  readonly weight: "counted" | "fatal" | "silent";
  /** sshd's own words without the position in front */
  readonly message: string;
  readonly span: Span;
  readonly number: number;
  readonly sshdNumber: number;
}

const KIND_BITS = 3;
const KIND_MASK = (1 << KIND_BITS) - 1;
const NUMBERS = Object.fromEntries(TOKEN_KINDS.map((kind, number) => [kind, number])) as Readonly<
  Record<TokenKind, number>
>;

export function packToken(kind: TokenKind, start: number): number {
  return start * (1 << KIND_BITS) + NUMBERS[kind];
}

/** The same token, `by` bytes further on. */
export function movedToken(packed: number, by: number): number {
  return packed + by * (1 << KIND_BITS);
}

function startOf(packed: number): number {
  return Math.floor(packed / (1 << KIND_BITS));
}

/** The tokens of one line. */
export function tokensOf({ text, tokens }: Tree, line: Line): Token[] {
  const found: Token[] = [];
  for (let index = firstFrom(tokens, line.start); index < tokens.length; index++) {
    const packed = tokens[index] ?? 0;
    const start = startOf(packed);
    if (start >= line.end) break;
    const next = tokens[index + 1];
    const end = next === undefined ? text.length : startOf(next);
    found.push({ kind: TOKEN_KINDS[packed & KIND_MASK] ?? "blank", start, text: text.slice(start, end) });
  }
  return found;
}

/** Index of the first token that starts at `offset` or behind it. */
function firstFrom(tokens: ArrayLike<number>, offset: number): number {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (startOf(tokens[middle] ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
