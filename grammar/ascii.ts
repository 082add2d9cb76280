/** ASCII-only folding and C's white space: sshd runs in the C locale, where bytes from 0x80 have no case. */

const A = 65;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** tolower(3) of the C locale on every byte. A loop, not a regular expression: most texts have no capital or few. */
export function lowerAscii(text: string): string {
  let lower = "";
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at) - A;
    if (letter < 0 || letter >= LETTERS.length) continue;
    lower += text.slice(from, at) + LETTERS.charAt(letter);
    from = at + 1;
  }
  return from === 0 ? text : lower + text.slice(from);
}

/**
 * As long as the bytes of the text, each a character, and the same for ASCII: other letters are in lower case, too. Much faster
 * than lowerAscii, for our own names and for a search whose finds are looked at again.
 */
export function lowerForSearch(text: string): string {
  return text.toLowerCase();
}

/** The text without these characters at its end. A regular expression would try each of a million blanks anew. */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** strcasecmp(3) of the C locale. */
export function equalIgnoringCase(a: string, b: string): boolean {
  return a.length === b.length && lowerAscii(a) === lowerAscii(b);
}
