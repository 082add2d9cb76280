/** ASCII-only folding and C's white space: sshd runs in the C locale, where bytes from 0x80 have no case. */

const CAPITAL = /[A-Z]/;
const CAPITALS = /[A-Z]/g;

/** tolower(3) of the C locale on every byte. */
export function lowerAscii(text: string): string {
  if (!CAPITAL.test(text)) return text;
  return text.replace(CAPITALS, (letter) => String.fromCharCode(letter.charCodeAt(0) | 0x20));
}

/** strcasecmp(3) of the C locale. */
export function equalIgnoringCase(a: string, b: string): boolean {
  return a.length === b.length && lowerAscii(a) === lowerAscii(b);
}
