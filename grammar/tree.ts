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
export type TokenKind =
  | "blank"
  | "keyword"
  | "separator"
  | "argument"
  | "comment"
  | "newline"
  | "hidden"
  | "vanished";

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly text: string;
}

/** One word as sshd reads it. */
export interface Word {
  /** bytes after quotes and escapes are taken away */
  readonly value: string;
  /** where it stands in the file, quotes included */
  readonly span: Span;
  /** true when any part of it was quoted */
  readonly quoted: boolean;
}

/** How the list of arguments ended: see OpenSSH misc.c argv_split (8.7+) and strdelim (up to 8.6). */
export type ArgumentsEnd = "complete" | "unclosed-quote";

interface LineBase {
  readonly tokens: readonly Token[];
  readonly span: Span;
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
  readonly end: ArgumentsEnd;
  /**
   * what sshd holds after keyword and separator, before it is split; trailing white space already stripped as that
   * release does. Keywords that take the raw rest of the line (ForceCommand …) use it. Empty when nothing follows.
   */
  readonly rest: { readonly text: string; readonly span: Span };
  /** a comment at the end of the line that sshd does not read as an argument */
  readonly comment: Span | null;
}

export type Line = BlankLine | CommentLine | VanishedLine | DirectiveLine;

export interface Tree {
  readonly text: string;
  readonly release: Release;
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
