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

export interface UnitWords {
  readonly words: readonly string[];
  /** a quote has no end: its word is left out, and of a command line systemd takes nothing */
  readonly isBroken: boolean;
}

/** Up to a word `;`, which begins another command. */
export function unitWords(text: string): UnitWords {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (BLANK.test(text[at] ?? "")) at++;
    else if (/^;(?:[ \t]|$)/.test(text.slice(at, at + 2))) break;
    else if (/^\\;(?:[ \t]|$)/.test(text.slice(at, at + 3))) {
      words.push(";");
      at += 2;
    } else {
      const { word, end, isOpen } = readWord(text, at, unescaped);
      if (isOpen) return { words, isBroken: true };
      words.push(word);
      at = end;
    }
  }
  return { words, isBroken: false };
}

const BLANK = /[ \t\r\n]/;

/** What a variable's value becomes: quotes may lack their end, and a backslash takes the next byte as it is. */
export function variableWords(value: string): readonly string[] {
  const words: string[] = [];
  for (let at = 0; at < value.length; ) {
    if (BLANK.test(value[at] ?? "")) at++;
    else {
      const { word, end } = readWord(value, at, (text) => ({ value: text.slice(1, 2), length: 2 }));
      words.push(word);
      at = end;
    }
  }
  return words;
}

/**
 * `$NAME` as a word of its own is split, `${NAME}` is not, `$$` is a dollar sign, and others stay (systemd.service(5),
 * "Command lines"; src/basic/env-util.c, replace_env_argv).
 */
export function expandWord(word: string, variables: ReadonlyMap<string, string>): readonly string[] {
  if (/^\$(?![{$])/.test(word)) return variableWords(variables.get(word.slice(1)) ?? "");
  return [
    word.replaceAll(/\$\$|\$\{([^}]*)\}/g, (whole, name: string) =>
      whole === "$$" ? "$" : (variables.get(name) ?? ""),
    ),
  ];
}

type Escape = (text: string) => { readonly value: string; readonly length: number };

function readWord(
  text: string,
  start: number,
  behindBackslash: Escape,
): { readonly word: string; readonly end: number; readonly isOpen: boolean } {
  let word = "";
  let quote = "";
  let at = start;
  for (; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote === "" && BLANK.test(char)) break;
    if (char === "\\") {
      const { value, length } = behindBackslash(text.slice(at, at + 10));
      word += value;
      at += length - 1;
    } else if (char === quote) quote = "";
    else if (quote === "" && /["']/.test(char)) quote = char;
    else word += char;
  }
  return { word, end: at, isOpen: quote !== "" };
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
