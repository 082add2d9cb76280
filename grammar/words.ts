/**
 * sshd's word rules on one line of text. Positions are offsets into the text that holds the line; the scanner maps
 * them to the file.
 */

/** A word of a logical line: `value` after quotes and escapes, `[start, end)` as written, quotes included. */
export interface LogicalWord {
  readonly value: string;
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

/** True where strdelim's first word starts with `#` and is no quoted one: a comment, at a glance. */
export function isPlainComment(text: string, from: number, end: number): boolean {
  if (text.charCodeAt(from) !== HASH) return false;
  for (let at = from + 1; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return false;
    if (code === EQUALS || isWhitespace(code)) return true;
  }
  return true;
}

/** `next` is where the following call starts; null when the text is used up (strdelim sets its pointer to NULL). */
export interface DelimitedWord {
  readonly word: LogicalWord;
  readonly next: number | null;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const APOSTROPHE = 39;
const EQUALS = 61;
const BACKSLASH = 92;

function isWhitespace(code: number): boolean {
  return code === SPACE || code === TAB || code === CR || code === LF;
}

function skipWhitespace(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isWhitespace(text.charCodeAt(at))) at++;
  return at;
}

/**
 * The next word by white space, one `=`, or a double quote (OpenSSH misc.c strdelim). Null: an unclosed quote, the
 * rest of the text is lost.
 */
export function delimitWord(text: string, from: number, end: number): DelimitedWord | null {
  let at = from;
  let code = 0;
  for (; at < end; at++) {
    code = text.charCodeAt(at);
    // letters, which are most, come behind all of them
    if (code <= EQUALS && (isWhitespace(code) || code === QUOTE || code === EQUALS)) break;
  }
  if (at === end) {
    return { word: { value: text.slice(from, end), start: from, end, quoted: false }, next: null };
  }
  if (code === QUOTE) {
    let close = at + 1;
    while (close < end && text.charCodeAt(close) !== QUOTE) close++;
    if (close >= end) return null;
    const value = text.slice(from, at) + text.slice(at + 1, close);
    return {
      word: { value, start: from, end: close + 1, quoted: true },
      next: skipWhitespace(text, close + 1, end),
    };
  }
  const word = { value: text.slice(from, at), start: from, end: at, quoted: false };
  let next = skipWhitespace(text, at + 1, end);
  if (code !== EQUALS && next < end && text.charCodeAt(next) === EQUALS) {
    next = skipWhitespace(text, next + 1, end);
  }
  return { word, next };
}

export interface WordList {
  readonly words: readonly LogicalWord[];
  /** false: an unclosed quote; argv_split refuses the line, strdelim drops the rest */
  readonly closed: boolean;
  /** the line is well quoted for argv_split, yet strdelim lost its end */
  readonly lost?: boolean;
  /** where a comment, or the text lost behind an unclosed quote, starts; `end` when there is none */
  readonly tail: number;
}

/**
 * All words by strdelim, as releases up to 8.6 take them one by one; a Match line up to 9.8 too. A list may hold
 * empty words: strdelim yields one after a closing quote or `=` at the end of the line, and sshd's loops stop there.
 * `comments`: from 8.7 a word that starts with an unquoted `#` ends a Match line (match_cfg_line).
 */
export function delimitWords(
  text: string,
  from: number,
  end: number,
  options: { readonly comments: boolean },
): WordList {
  const words: LogicalWord[] = [];
  let next: number | null = from;
  while (next !== null) {
    if (options.comments && text.charCodeAt(next) === HASH && next < end) {
      return { words, closed: true, tail: next };
    }
    const found = delimitWord(text, next, end);
    if (found === null) return { words, closed: false, tail: next };
    words.push(found.word);
    next = found.next;
  }
  return { words, closed: true, tail: end };
}

/** Splits as a shell would, from 8.7 on (OpenSSH misc.c argv_split with terminate_on_comment). */
export function splitWords(text: string, from: number, end: number): WordList {
  const words: LogicalWord[] = [];
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code === SPACE || code === TAB) {
      at++;
      continue;
    }
    if (code === HASH) return { words, closed: true, tail: at };
    const word = splitWord(text, at, end);
    if (word === null) return { words, closed: false, tail: at };
    words.push(word);
    at = word.end;
  }
  return { words, closed: true, tail: end };
}

function splitWord(text: string, start: number, end: number): LogicalWord | null {
  let plain = start;
  for (; plain < end; plain++) {
    const code = text.charCodeAt(plain);
    if (code === SPACE || code === TAB) break;
    if (code === QUOTE || code === APOSTROPHE || code === BACKSLASH) return splitQuotedWord(text, start, end);
  }
  return { value: text.slice(start, plain), start, end: plain, quoted: false };
}

function splitQuotedWord(text: string, start: number, end: number): LogicalWord | null {
  let value = "";
  let quote = 0;
  let quoted = false;
  let at = start;
  for (; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH && at + 1 < end && isEscapable(text.charCodeAt(at + 1), quote)) {
      at++;
      value += text.charAt(at);
    } else if (quote === 0 && (code === SPACE || code === TAB)) {
      break;
    } else if (quote === 0 && (code === QUOTE || code === APOSTROPHE)) {
      quote = code;
      quoted = true;
    } else if (quote !== 0 && code === quote) {
      quote = 0;
    } else {
      value += text.charAt(at);
    }
  }
  return quote === 0 ? { value, start, end: at, quoted } : null;
}

function isEscapable(code: number, quote: number): boolean {
  return code === APOSTROPHE || code === QUOTE || code === BACKSLASH || (quote === 0 && code === SPACE);
}
