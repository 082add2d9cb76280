/** How far an audit of many files is, for who waits at a terminal. */
import type { OutputOptions } from "./output.ts";
import { isErrorTerminal, writeStandardError } from "./standard-output.ts";

/** Fewer targets are done before anybody has read a line. */
const COUNTED_FROM = 50;

/** "120 of 1000 audited" on a terminal, on a line that is cleared at the end. */
export function openCounter({ quiet }: OutputOptions): {
  readonly count: (done: number, of: number) => void;
  readonly close: () => void;
} {
  let sum = 0;
  let shownAt = 0;
  return {
    count: (done, of) => {
      sum += done;
      if (quiet === true || of < COUNTED_FROM || Date.now() - shownAt < 100 || !isErrorTerminal()) return;
      shownAt = Date.now();
      writeStandardError(`\r${sum} of ${of} audited`);
    },
    close: () => {
      if (shownAt > 0) writeStandardError("\r\x1b[K");
    },
  };
}
