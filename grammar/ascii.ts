/** ASCII-only folding and C's white space: sshd runs in the C locale, where bytes from 0x80 have no case. */

const CAPITALS = /[A-Z]/g;
const BEYOND_ASCII = /[^\0-\x7f]/;

/** tolower(3) of the C locale on every byte. */
export function lowerAscii(text: string): string {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 65 && code <= 90) return withoutCapitals(text);
  }
  return text;
}

/** On ASCII alone the engine's own folding, which is much faster, does the same. */
function withoutCapitals(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text.toLowerCase();
  return text.replace(CAPITALS, (letter) => String.fromCharCode(letter.charCodeAt(0) | 0x20));
}

/** strcasecmp(3) of the C locale. */
export function equalIgnoringCase(a: string, b: string): boolean {
  return a.length === b.length && lowerAscii(a) === lowerAscii(b);
}
