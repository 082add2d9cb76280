/**
 * Words of a unit's line as systemd splits them (systemd.service(5), "Command lines"; src/basic/extract-word.c and
 * escape.c): quotes anywhere, C escapes inside and outside of them. An escape that it does not know stays as written.
 */

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  s: " ",
  "\\": "\\",
  '"': '"',
  "'": "'",
};
const ESCAPE = /^\\(?:([abfnrtvs\\"'])|x([0-9A-Fa-f]{2})|([0-7]{3})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/;

/** Up to a word `;`, which begins another command. */
export function unitWords(text: string): readonly string[] {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (/[ \t\r\n]/.test(text[at] ?? "")) at++;
    else if (/^;(?:[ \t]|$)/.test(text.slice(at, at + 2))) return words;
    else if (/^\\;(?:[ \t]|$)/.test(text.slice(at, at + 3))) {
      words.push(";");
      at += 2;
    } else at = readWord(text, at, words);
  }
  return words;
}

/** Behind the word, which is added. */
function readWord(text: string, start: number, words: string[]): number {
  let word = "";
  let quote = "";
  let at = start;
  for (; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote === "" && /[ \t\r\n]/.test(char)) break;
    if (char === "\\") {
      const { value, length } = unescaped(text.slice(at, at + 10));
      word += value;
      at += length - 1;
    } else if (char === quote) quote = "";
    else if (quote === "" && /["']/.test(char)) quote = char;
    else word += char;
  }
  words.push(word);
  return at;
}

function unescaped(text: string): { readonly value: string; readonly length: number } {
  const match = ESCAPE.exec(text);
  if (match === null) return { value: text.slice(0, 2), length: 2 };
  const [whole, simple, hex, octal, short, long] = match;
  const code = parseInt(hex ?? octal ?? short ?? long ?? "", octal === undefined ? 16 : 8);
  if (simple !== undefined) return { value: SIMPLE[simple] ?? "", length: 2 };
  // there are no NULs in words, no bytes above 255 and no characters above the last
  if (code === 0 || code > 0x10ffff || (octal !== undefined && code > 0xff))
    return { value: whole.slice(0, 2), length: 2 };
  const isByte = hex !== undefined || octal !== undefined;
  const value = isByte
    ? String.fromCharCode(code)
    : Buffer.from(String.fromCodePoint(code)).toString("latin1");
  return { value, length: whole.length };
}
