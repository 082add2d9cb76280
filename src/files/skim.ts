/**
 * Passes over the headers of tar entries of the plainest kind that are of no interest: in most images all but a few. The
 * walk (tar.ts) reads the same headers, and all others, function by function.
 */
import type { PlainHeaders } from "./plain-header.ts";
import { insidePath, type Visitor } from "./tar.ts";
import { kindOf } from "./tar-header.ts";

const FLAG = 156;
const NAME_BYTES = 100;
const DOT = 0x2e;

/**
 * The place of the first header from `at` on that the walk must see, as it is of interest, extended, damaged or in any
 * way unusual, or not before `end`.
 */
export function skim(headers: PlainHeaders, at: number, end: number, visitor: Visitor): number {
  headers.between(at, end);
  for (;;) {
    const start = headers.next();
    if (start === -1 || isOfInterest(headers, start, visitor)) return headers.seen();
  }
}

/** Of a plain header. */
function isOfInterest({ memory, pass }: PlainHeaders, start: number, visitor: Visitor): boolean {
  const field = memory.latin1Slice(start, start + NAME_BYTES);
  const nul = field.indexOf("\0");
  const name = nul === -1 ? field : field.slice(0, nul);
  const path = insidePath(name);
  const flag = String.fromCharCode(memory[start + FLAG] ?? 0);
  if (visitor.concerns(path, kindOf(flag, name))) return true;
  const slash = name.lastIndexOf("/");
  // no folder itself, no whiteout, nothing that leads elsewhere
  const isPlain = flag === "0" && slash > 0 && slash + 1 < name.length && name.charCodeAt(slash + 1) !== DOT;
  if (isPlain && visitor.passesBeside(path)) pass(start, slash + 1);
  return false;
}

declare global {
  interface Buffer {
    /** What `toString("latin1", …)` comes down to, at a third of the steps: it does not look at its arguments. */
    latin1Slice(start: number, end: number): string;
  }
}
