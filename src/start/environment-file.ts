/** Files of EnvironmentFile= as systemd reads them (systemd.exec(5); src/basic/env-file.c): no shell, `export` is no word of theirs. */

import { withoutEnd } from "../../grammar/ascii.ts";

const NAME = /^[A-Za-z_]\w*$/;

export function environmentOf(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    const end = endOfLine(text, at);
    const line = text.slice(at, end);
    const equals = line.indexOf("=");
    if (/^[ \t]*(?:[#;]|$)/.test(line) || equals === -1) {
      at = end + 1;
      continue;
    }
    const { value, next } = readValue(text, at + equals + 1);
    const name = line.slice(0, equals).trim();
    if (NAME.test(name)) variables.set(name, value);
    at = next;
  }
  return variables;
}

/** A carriage return ends a line, too. */
function isLineEnd(char: string | undefined): boolean {
  return char === "\n" || char === "\r";
}

function endOfLine(text: string, start: number): number {
  let at = start;
  while (at < text.length && !isLineEnd(text[at])) at++;
  return at;
}

/** Quotes count at the beginning and after other quotes; a backslash takes the next byte as it is, a line feed away. */
function readValue(text: string, start: number): { readonly value: string; readonly next: number } {
  let value = "";
  let isPlain = false;
  let at = start;
  for (; at < text.length && !isLineEnd(text[at]); at++) {
    const char = text[at] ?? "";
    if (char === "\\") {
      at++;
      isPlain = true;
      value += isLineEnd(text[at]) ? "" : (text[at] ?? "");
    } else if (!isPlain && (char === '"' || char === "'")) {
      const quoted = readQuoted(text, at + 1, char);
      value += quoted.value;
      at = quoted.end;
    } else if (isPlain || !/[ \t]/.test(char)) {
      isPlain = true;
      value += char;
    }
  }
  return { value: isPlain ? withoutEnd(value, " \t") : value, next: at + 1 };
}

/** Up to the quote's end; only in double quotes a backslash escapes, and what the shell would. */
function readQuoted(
  text: string,
  start: number,
  quote: string,
): { readonly value: string; readonly end: number } {
  let value = "";
  let at = start;
  for (; at < text.length && text[at] !== quote; at++) {
    const next = text[at + 1] ?? "";
    if (quote === '"' && text[at] === "\\" && /["\\`$\n]/.test(next)) {
      at++;
      value += next === "\n" ? "" : next;
    } else {
      value += text[at];
    }
  }
  return { value, end: at };
}
