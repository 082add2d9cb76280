/** Where to point when no line decides. */
import { findStockComment } from "../config/change.ts";
import type { Config } from "../config/config.ts";
import type { Place } from "../source/source.ts";

/** The first byte of the main file; the reporter moves it to where a fix inserts. */
export function atTop(config: Config): Place | null {
  const main = config.files[0];
  return main === undefined ? null : { source: main.source, span: { start: 0, end: 0 } };
}

/** The commented line of the stock file, `#AllowTcpForwarding yes`, that a fix would turn on; `keyword` in lower case. */
export function stockComment(config: Config, keyword: string): Place | null {
  const main = config.files[0];
  const found = main === undefined ? null : findStockComment(main, keyword);
  if (main === undefined || found === null) return null;
  return { source: main.source, span: { start: found.start, end: found.end } };
}
