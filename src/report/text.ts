/**
 * From latin1 bytes to text for people. What stands in a file can never become a terminal escape: control characters
 * and the marks that reverse a line are written out.
 */

// C0, DEL and C1; line and paragraph separators; marks and overrides of direction; the byte order mark
const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Bytes (one character each) as UTF-8 where they are, every control character as `\x1b` or `\u{202e}`. */
export function visible(latin1: string): string {
  return visibleText(Buffer.from(latin1, "latin1").toString("utf8"));
}

/** The same of text that is no bytes: what was given on the command line, or a server's words as ssh2 decodes them. */
export function visibleText(text: string): string {
  return text.replace(DANGEROUS, writeOut);
}

/** The same with a tab as one blank, so that carets stay below their text. */
export function visibleLine(latin1: string): string {
  return visible(latin1.replaceAll("\t", " "));
}

function writeOut(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/** "1 line", "3 lines". */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** As a shell reads it back. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** JSON in which everything outside ASCII is written as an escape: a terminal obeys some of it. */
export function inAscii(text: string): string {
  // a regular expression looks at each of millions of characters
  const isPlain = Buffer.byteLength(text) === text.length && !text.includes("\u007f");
  return isPlain ? text : text.replaceAll(/[\u007f-\uffff]/g, escaped);
}

export const OUTSIDE_ASCII: RegExp = /[\u007f-\uffff]/;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
