/** Where to point when no line decides. */

import type { Config } from "../config/config.ts";
import { linesOf } from "../config/keyword-lines.ts";
import { findStockComment } from "../config/stock-comment.ts";
import type { Decider } from "../policy/answer.ts";
import { type Place, placeOf } from "../source/source.ts";

/** Where a finding points, and what the carets say there. */
export interface Pointed {
  readonly place: Place;
  readonly label: string;
}

/**
 * The value of the line that decides; else, for a default and for an option on the command line, the line of the file
 * that does not count, the stock comment, or the top of the file. Null for a configuration without files.
 */
export function pointAt(config: Config, keyword: string, decider: Decider | null): Pointed | null {
  const directive = decider?.directive ?? null;
  if (directive !== null && directive.origin === "file") return { place: directive.valuePlace, label: "" };
  const written = linesOf(config, keyword).find(
    ({ origin, guards }) => origin === "file" && guards.length === 0,
  );
  if (written !== undefined)
    return { place: written.place, label: "overridden by an option on sshd's command line" };
  const comment = stockComment(config, keyword);
  if (comment !== null) return { place: comment, label: "a comment, it sets nothing" };
  const place = atTop(config);
  return place === null ? null : { place, label: "" };
}

/** The first byte of the main file; the reporter moves it to where a fix inserts. */
export function atTop(config: Config): Place | null {
  const main = config.files[0];
  return main === undefined ? null : { source: main.source, start: 0, end: 0 };
}

/** The first byte of the file with this real path; null where sshd does not read it. */
export function atFile(config: Config, realPath: string): Place | null {
  const file = config.files.find((candidate) => candidate.realPath === realPath);
  return file === undefined ? null : { source: file.source, start: 0, end: 0 };
}

/** The commented line of the stock file, `#AllowTcpForwarding yes`, that a fix would turn on; `keyword` in lower case. */
export function stockComment(config: Config, keyword: string): Place | null {
  const main = config.files[0];
  const found = main === undefined ? null : findStockComment(main, keyword);
  if (main === undefined || found === null) return null;
  return placeOf(main.source, found);
}
