/** Words split at blanks only: OpenSSH misc.c strdelimw, which SetEnv uses up to 8.6. */
import type { Word } from "../tree.ts";
import type { Arguments } from "./arguments.ts";

/** The same line read anew, `=` being part of a word. */
export function delimitByBlanks(args: Arguments): Arguments {
  const { text, start } = args.line.rest;
  let at: number | null = text === "" ? null : 0;
  const next = (): Word | null => {
    if (at === null) return null;
    const from = at;
    const found = text.slice(from).search(/[ \t\r\n"]/);
    const stop = found === -1 ? text.length : from + found;
    const quoted = text.charAt(stop) === '"';
    const close = quoted ? text.indexOf('"', stop + 1) : stop;
    if (stop === text.length || close === -1) at = null;
    else at = skipBlanks(text, close + 1);
    if (close === -1) return null;
    const value = quoted ? text.slice(from, stop) + text.slice(stop + 1, close) : text.slice(from, stop);
    const end = quoted ? close + 1 : stop;
    return { value, start: start + from, end: start + end, quoted };
  };
  return { ...args, next };
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (/[ \t\r\n]/.test(text.charAt(at)) && at < text.length) at++;
  return at;
}
