/**
 * Passes over the headers of tar entries of the plainest kind that are of no interest: in most images all but a few. The
 * walk (tar.ts) reads the same headers, and all others, function by function. This is one loop that calls nearly nothing,
 * because V8 takes longer to compile many small functions than all of this takes.
 */
import { readSync } from "node:fs";
import { insidePath, type Visitor } from "./tar.ts";
import { BLOCK, kindOf } from "./tar-header.ts";

/** Bytes of a file, of which a part is in memory. */
export interface Window {
  readonly handle: number;
  readonly memory: Buffer;
  /** the same memory, four bytes at a time */
  readonly words: Uint32Array;
  /** what is in memory, by places in the file */
  from: number;
  to: number;
  /** how much the next reading takes */
  size: number;
}

/** How far on a header is near: reading so much more costs less than another call. */
const NEAR = 4 * 1024;
const ZERO = 0x30;

/**
 * The place of the first header from `at` on that the walk must see, as it is of interest, extended, damaged or in any
 * way unusual, or not before `end`. Headers lie close together or far apart: the window grows while the next one is
 * near, and is one header when not.
 */
export function skim(window: Window, at: number, end: number, { concerns }: Visitor): number {
  const { handle, memory, words } = window;
  while (at + BLOCK <= end) {
    if (at < window.from || at + BLOCK > window.to) {
      const isNear = at >= window.from && at <= window.to + NEAR;
      window.size = isNear ? Math.min(window.size * 2, memory.length) : BLOCK;
      window.from = at;
      window.to = at + readSync(handle, memory, 0, Math.min(window.size, end - at), at);
      if (at + BLOCK > window.to) return at;
    }
    const start = at - window.from;
    const flag = memory[start + 156] ?? 0;
    // ordinary files, links, folders and devices, whose name is not in two fields
    if (flag < ZERO || flag > ZERO + 6 || memory[start + 345] !== 0) return at;
    let sum = sumOf(words, start >> 2) + 8 * 32;
    for (let index = start + 148; index < start + 156; index++) sum -= memory[index] ?? 0;
    for (let index = start + 148; index < start + 154; index++)
      sum -= ((memory[index] ?? 0) - ZERO) << (3 * (start + 153 - index));
    if (sum !== 0) return at;
    let size = 0;
    let index = start + 124;
    for (; index < start + 135; index++) {
      const digit = (memory[index] ?? 0) - ZERO;
      if (digit < 0 || digit > 7) return at;
      size = size * 8 + digit;
    }
    index = start;
    while (index < start + 100 && memory[index] !== 0) index++;
    const name = memory.toString("latin1", start, index);
    if (concerns(insidePath(name), kindOf(String.fromCharCode(flag), name))) return at;
    at += BLOCK + (flag === ZERO ? Math.ceil(size / BLOCK) * BLOCK : 0);
  }
  return at;
}

/** Of all bytes of a block: four at a time, in two pairs of which each has 16 bits for its sum. */
function sumOf(words: Uint32Array, from: number): number {
  let sum = 0;
  for (let index = from; index < from + BLOCK / 4; index++) {
    const word = words[index] ?? 0;
    sum += (word & 0xff00ff) + ((word >>> 8) & 0xff00ff);
  }
  return (sum & 0xffff) + (sum >>> 16);
}
