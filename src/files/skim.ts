/**
 * Passes over the headers of tar entries of the plainest kind that are of no interest: in most images all but a few. The
 * walk (tar.ts) reads the same headers, and all others, function by function. This is one loop that leaves to functions
 * of Node.js what would be a loop over bytes: it ends before V8 has made such loops fast.
 */
import { readvSync } from "node:fs";
import { insidePath, type Visitor } from "./tar.ts";
import { BLOCK, kindOf } from "./tar-header.ts";

declare global {
  interface Buffer {
    /** What `toString("latin1", …)` comes down to, at a third of the steps: it does not look at its arguments. */
    latin1Slice(start: number, end: number): string;
  }
}

/** Bytes of a file, of which a part is in memory. */
export interface Window {
  readonly handle: number;
  readonly memory: Buffer;
  /** its beginnings: a header, two, four … all of it */
  readonly parts: readonly (readonly [Buffer])[];
  /** the same memory, four bytes at a time */
  readonly words: Uint32Array;
  /** what lies behind the checksum of each header in it, where it was looked at */
  readonly tails: Buffer[];
  /** what is in memory, by places in the file */
  from: number;
  to: number;
  /** which part the last reading filled */
  part: number;
  /** folders, as names are written, in which no file is of interest */
  readonly passed: Set<string>;
  readonly tail: Tail;
}

/** Behind the checksum most headers of a layer are alike: kind, link, owner and device. What the last one had there. */
interface Tail {
  readonly bytes: Buffer;
  flag: number;
  /** of its bytes */
  sum: number;
}

/** One folder has many spellings; images have some thousand folders. */
const MOST_PASSED = 20_000;
/** How far on a header is near: reading so much more costs less than another call. */
const NEAR = 16 * 1024;
const ZERO = 0x30;
const DOT = 0x2e;
/** Places of the fields in a header, and of what ends the last one. */
const SIZE = { start: 124, end: 135 } as const;
const CHECKSUM = { start: 148, end: 154 } as const;
const TAIL = 156;
const NAME_BYTES = 100;

/** As far as a window grows, a power of two of headers. */
const PARTS = 8;

export function openWindow(handle: number): Window {
  const memory = Buffer.allocUnsafeSlow(BLOCK << (PARTS - 1));
  return {
    handle,
    memory,
    parts: Array.from({ length: PARTS }, (_, index) => [memory.subarray(0, BLOCK << index)]),
    words: new Uint32Array(memory.buffer),
    tails: [],
    from: 0,
    to: 0,
    part: 0,
    passed: new Set(),
    // without a last header: no flag is like this
    tail: { bytes: Buffer.alloc(BLOCK - TAIL, 0xff), flag: -1, sum: 0 },
  };
}

/**
 * The place of the first header from `at` on that the walk must see, as it is of interest, extended, damaged or in any
 * way unusual, or not before `end`. Headers lie close together or far apart: the window grows while the next one is
 * near, and is one header when not.
 */
export function skim(window: Window, at: number, end: number, visitor: Visitor): number {
  const { memory, words, tails, passed, tail } = window;
  while (at + BLOCK <= end) {
    if ((at < window.from || at + BLOCK > window.to) && !fill(window, at, end)) return at;
    const start = at - window.from;
    const behind = tails[start / BLOCK] ?? memory.subarray(start + TAIL, start + BLOCK);
    tails[start / BLOCK] = behind;
    if (!behind.equals(tail.bytes) && !takeTail(window, start)) return at;
    const sum = sumOf(words, start / 4, (start + CHECKSUM.start) / 4) + 8 * 32 + tail.sum;
    if (octal(memory, start + CHECKSUM.start, start + CHECKSUM.end) !== sum) return at;
    const size = octal(memory, start + SIZE.start, start + SIZE.end);
    // a twelfth digit, which the walk reads, too
    if (size === -1 || ((memory[start + SIZE.end] ?? 0) & ~0x20) !== 0) return at;
    const field = memory.latin1Slice(start, start + NAME_BYTES);
    const nul = field.indexOf("\0");
    const name = nul === -1 ? field : field.slice(0, nul);
    const slash = name.lastIndexOf("/");
    const folder = name.slice(0, Math.max(0, slash));
    // no folder itself, no whiteout, nothing that leads elsewhere
    const isPlain = tail.flag === ZERO && slash + 1 < name.length && name.charCodeAt(slash + 1) !== DOT;
    if (!isPlain || !passed.has(folder)) {
      const path = insidePath(name);
      if (visitor.concerns(path, kindOf(String.fromCharCode(tail.flag), name))) return at;
      if (isPlain && passed.size < MOST_PASSED && visitor.passesBeside(path)) passed.add(folder);
    }
    at += BLOCK + (tail.flag === ZERO ? Math.ceil(size / BLOCK) * BLOCK : 0);
  }
  return at;
}

/** readvSync looks at its arguments for a third less long than readSync. */
function fill(window: Window, at: number, end: number): boolean {
  const isNear = at >= window.from && at <= window.to + NEAR;
  window.part = isNear ? Math.min(window.part + 1, PARTS - 1) : 0;
  window.from = at;
  window.to = Math.min(end, at + readvSync(window.handle, window.parts[window.part] ?? [], at));
  return at + BLOCK <= window.to;
}

/** False for what is no ordinary file, link, folder or device, or has its name in two fields. */
function takeTail({ memory, words, tail }: Window, start: number): boolean {
  const flag = memory[start + TAIL] ?? 0;
  if (flag < ZERO || flag > ZERO + 6 || memory[start + 345] !== 0) return false;
  memory.copy(tail.bytes, 0, start + TAIL, start + BLOCK);
  tail.flag = flag;
  tail.sum = sumOf(words, (start + TAIL) / 4, (start + BLOCK) / 4);
  return true;
}

/** Of plain digits; -1 for anything else. */
function octal(memory: Buffer, start: number, end: number): number {
  let number = 0;
  for (let index = start; index < end; index++) {
    // digits are the bytes of which this leaves 0 to 7
    const digit = (memory[index] ?? 0) ^ ZERO;
    if (digit > 7) return -1;
    number = number * 8 + digit;
  }
  return number;
}

/** Of the bytes in words: four at a time, in two pairs of which each has 16 bits for its sum. */
function sumOf(words: Uint32Array, from: number, to: number): number {
  let sum = 0;
  for (let index = from; index < to; index++) {
    const word = words[index] ?? 0;
    sum += (word & 0xff00ff) + ((word >>> 8) & 0xff00ff);
  }
  return (sum & 0xffff) + (sum >>> 16);
}
