/**
 * Passes over the headers of tar entries of the plainest kind that are of no interest: in most images all but a few. The
 * walk (tar.ts) reads the same headers, and all others, function by function. This is one loop of few steps, as it ends
 * before V8 has made it fast.
 */
import { readvSync } from "node:fs";
import { type PlainHeaders, plainHeaders } from "./plain-header.ts";
import { insidePath, type Visitor } from "./tar.ts";
import { BLOCK, kindOf } from "./tar-header.ts";

/** Bytes of a file, of which a part is in memory. */
export interface Window {
  readonly handle: number;
  readonly headers: PlainHeaders;
  /** what is in memory, by places in the file */
  from: number;
  to: number;
  /** which part of the memory the last reading filled */
  part: number;
}

/** How far on a header is near: reading so much more costs less than another call. */
const NEAR = 16 * 1024;
const FLAG = 156;
const NAME_BYTES = 100;
const DOT = 0x2e;

/** For one walk: there is one memory for all. Null where headers cannot be looked at so. */
export function openWindow(handle: number): Window | null {
  const headers = plainHeaders();
  headers?.forget();
  return headers === null ? null : { handle, headers, from: 0, to: 0, part: 0 };
}

/**
 * The place of the first header from `at` on that the walk must see, as it is of interest, extended, damaged or in any
 * way unusual, or not before `end`.
 */
export function skim(window: Window, at: number, end: number, visitor: Visitor): number {
  const { headers } = window;
  const { look } = headers;
  while (at + BLOCK <= end) {
    if ((at < window.from || at + BLOCK > window.to) && !fill(window, at, end)) return at;
    const blocks = look(at - window.from);
    if (blocks <= 0 && (blocks === 0 || isOfInterest(headers, at - window.from, visitor))) return at;
    at += BLOCK * (blocks > 0 ? blocks : -blocks);
  }
  return at;
}

/**
 * Headers lie close together or far apart: more is read each time while the next one is near, and one header when not.
 * By readvSync, which looks at its arguments for a third less long than readSync.
 */
function fill(window: Window, at: number, end: number): boolean {
  const { parts } = window.headers;
  const isFar = at > window.to + NEAR || at < window.from;
  window.part = isFar ? 0 : Math.min(window.part + 1, parts.length - 1);
  window.from = at;
  window.to = at + readvSync(window.handle, parts[window.part] ?? [], at);
  if (window.to > end) window.to = end;
  return at + BLOCK <= window.to;
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
