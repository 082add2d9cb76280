/** Where to point when no line decides. */
import { lowerAscii } from "../../grammar/ascii.ts";
import type { Config } from "../config/config.ts";
import type { Place } from "../source/source.ts";

/** The first byte of the main file; the reporter moves it to where a fix inserts. */
export function atTop(config: Config): Place | null {
  const main = config.files[0];
  return main === undefined ? null : { source: main.source, span: { start: 0, end: 0 } };
}

const COMMENTED = /^#[ \t]*([A-Za-z0-9]+)[ \t=]+([^ \t]+)[ \t\r]*$/;

/**
 * The commented line of the stock file, `#AllowTcpForwarding yes`, in the main file: one keyword (lower case) with
 * one value, so that prose does not count. One that stands directly after its `#` is preferred.
 */
export function stockComment(config: Config, keyword: string): Place | null {
  const main = config.files[0];
  if (main === undefined) return null;
  let spaced: Place | null = null;
  for (const line of main.tree.lines) {
    if (line.kind !== "comment") continue;
    const text = main.source.text.slice(line.span.start, line.span.end).replace(/[\r\n]+$/, "");
    const start = text.search(/[^ \t]/);
    const found = COMMENTED.exec(text.slice(start));
    if (found === null || lowerAscii(found[1] ?? "") !== keyword) continue;
    const span = { start: line.span.start + start, end: line.span.start + text.length };
    const place = { source: main.source, span };
    if (text[start + 1] !== " " && text[start + 1] !== "\t") return place;
    spaced ??= place;
  }
  return spaced;
}
