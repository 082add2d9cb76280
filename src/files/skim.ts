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
  /** folders, as names are written, in which no file is of interest */
  readonly passed: Set<string>;
}

/** One folder has many spellings; images have some thousand folders. */
const MOST_PASSED = 20_000;
/** How far on a header is near: reading so much more costs less than another call. */
const NEAR = 16 * 1024;
const DOT = 0x2e;
/** What PlainHeaders says of a header, in bits. */
const LENGTH = 0x7f;
const FOLDER = 7;
const FILE = 0x4000;
const REMEMBERED = 0x8000;

/** For one walk: there is one memory for all. Null where headers cannot be looked at so. */
export function openWindow(handle: number): Window | null {
  const headers = plainHeaders();
  headers?.forget();
  return headers === null ? null : { handle, headers, from: 0, to: 0, part: 0, passed: new Set() };
}

/**
 * The place of the first header from `at` on that the walk must see, as it is of interest, extended, damaged or in any
 * way unusual, or not before `end`.
 */
export function skim(window: Window, at: number, end: number, visitor: Visitor): number {
  const { memory, plain, blocks, remember } = window.headers;
  while (at + BLOCK <= end) {
    if ((at < window.from || at + BLOCK > window.to) && !fill(window, at, end)) return at;
    const start = at - window.from;
    const seen = plain(start);
    if (seen === 0) return at;
    const length = seen & LENGTH;
    const folderLength = (seen >> FOLDER) & LENGTH;
    const isFile = (seen & FILE) !== 0;
    // no folder itself, no whiteout, nothing that leads elsewhere
    const isPlain = isFile && folderLength < length && memory[start + folderLength] !== DOT;
    if (!isPlain || (seen & REMEMBERED) === 0) {
      const name = memory.toString("latin1", start, start + length);
      const folder = name.slice(0, folderLength);
      if (!isPlain || !window.passed.has(folder)) {
        const path = insidePath(name);
        if (visitor.concerns(path, kindOf(String.fromCharCode(memory[start + 156] ?? 0), name))) return at;
        if (isPlain && visitor.passesBeside(path)) pass(window, folder);
      }
      if (isPlain && window.passed.has(folder)) remember(start, folderLength);
    }
    at += BLOCK * (isFile ? blocks(start) : 1);
  }
  return at;
}

/** Headers lie close together or far apart: more is read each time while the next one is near, and one header when not. */
function fill(window: Window, at: number, end: number): boolean {
  const { parts } = window.headers;
  const isNear = at >= window.from && at <= window.to + NEAR;
  window.part = isNear ? Math.min(window.part + 1, parts.length - 1) : 0;
  window.from = at;
  window.to = Math.min(end, at + readvSync(window.handle, parts[window.part] ?? [], at));
  return at + BLOCK <= window.to;
}

function pass({ passed }: Window, folder: string): void {
  if (passed.size < MOST_PASSED) passed.add(folder);
}
