/** The bytes of archives: a range of a file, in which what is not wanted is passed over by seeking, or a stream. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { openWindow, skim, type Window } from "./skim.ts";
import { cutShort, READ_HEADER, type Step, type TarEntry, type Visitor, walkTar } from "./tar.ts";
import { ArchiveError, BLOCK, type Piece } from "./tar-header.ts";

/** A part of an open file. */
export interface Range {
  readonly handle: number;
  readonly start: number;
  readonly length: number;
}

export type Chunks = AsyncIterable<Buffer>;

/** What is done with the data of an entry that is handed on; it is read to its end in any case. */
export type Receive = (entry: TarEntry, data: Chunks) => Promise<void>;

/** What one read takes of a stream. */
const STREAM_READ = 512 * 1024;

/** The whole of a file, without waiting for a FIFO's other end. It stays open: bodies are read when they are asked for. */
export function openRange(path: Buffer): Range {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = fstatSync(handle);
  // Node.js gives a double, of which each look at a place that was made with it would make a new object
  if (stats.isFile()) return { handle, start: 0, length: Math.trunc(stats.size) };
  closeSync(handle);
  throw new ArchiveError("it is no regular file");
}

/** Up to `length` bytes, fewer where the range or the file ends. */
export function readRange(range: Range, offset: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, range.length - offset)));
  let done = 0;
  while (done < buffer.length) {
    const read = readSync(range.handle, buffer, done, buffer.length - done, range.start + offset + done);
    if (read === 0) break;
    done += read;
  }
  return buffer.subarray(0, done);
}

export function partOf(range: Range, start: number, length: number): Range {
  return { handle: range.handle, start: range.start + start, length };
}

/** Walks a tar in a file, from header to header; what nobody is concerned with is not read. */
export function walkRange(range: Range, visitor: Visitor): void {
  const walk = walkTar(visitor);
  const end = range.start + range.length;
  const window = openWindow(range.handle);
  let at = 0;
  for (let step: Step | null = READ_HEADER; step !== null; ) {
    const isRead = step.kind === "read";
    if (!isRead) at += step.length;
    // after an extended header the walk alone knows what the next one means
    if (!isRead && window !== null) at = skim(window, range.start + at, end, visitor) - range.start;
    if (at > range.length) throw cutShort();
    const piece = pieceOf(window, range, at, isRead ? step.length : BLOCK);
    at += piece.length;
    step = walk(piece);
  }
}

function pieceOf(window: Window | null, range: Range, at: number, length: number): Piece {
  const place = range.start + at;
  if (window !== null && window.from <= place && place + length <= window.to)
    return { bytes: window.headers.memory, start: place - window.from, length, at };
  const bytes = readRange(range, at, length);
  return { bytes, start: 0, length: bytes.length, at };
}

/** The bytes of a range, a piece at a time. */
export async function* rangeChunks(range: Range): Chunks {
  for (let at = 0; at < range.length; ) {
    const chunk = readRange(range, at, STREAM_READ);
    if (chunk.length === 0) return;
    at += chunk.length;
    yield chunk;
  }
}

/** Walks a tar that comes as a stream, to its end: what compression checks there is checked. */
export async function walkChunks(chunks: Chunks, visitor: Visitor, receive: Receive): Promise<void> {
  const walk = walkTar(visitor);
  const stream = openStream(chunks);
  for (let step: Step | null = READ_HEADER; step !== null; ) {
    const wanted = step.kind === "read" ? step.length : BLOCK;
    if (step.kind === "stream" || (step.kind === "pass" && !stream.skipped(step.length)))
      await passOver(stream, step, receive);
    step = walk(stream.buffered(wanted) ?? (await stream.read(wanted)));
  }
  while ((await stream.part(Number.POSITIVE_INFINITY)) !== null);
}

async function passOver(stream: Stream, { kind, length, entry }: Step, receive: Receive): Promise<void> {
  let left = length;
  async function* parts(wanted: number): Chunks {
    const until = length - wanted;
    while (left > until) {
      const part = await stream.part(left - until);
      if (part === null) throw cutShort();
      left -= part.length;
      yield part;
    }
  }
  if (kind === "stream" && entry !== null) await receive(entry, parts(entry.length));
  for await (const _ of parts(length));
}

interface Stream {
  /** what is there already, when it is enough: the same object each time */
  readonly buffered: (length: number) => Piece | null;
  /** true when so much is there already, and passed over */
  readonly skipped: (length: number) => boolean;
  /** fewer bytes at the end */
  readonly read: (length: number) => Promise<Piece>;
  /** up to so many bytes; null at the end */
  readonly part: (length: number) => Promise<Buffer | null>;
}

function openStream(chunks: Chunks): Stream {
  const iterator = chunks[Symbol.asyncIterator]();
  const piece: { bytes: Buffer; start: number; length: number; at: number } = {
    bytes: Buffer.alloc(0),
    start: 0,
    length: 0,
    at: 0,
  };
  /** the place in the archive of the chunk at hand, and in it */
  let chunkAt = 0;
  let at = 0;
  const skipped = (length: number): boolean => {
    if (piece.bytes.length - at < length) return false;
    at += length;
    return true;
  };
  const buffered = (length: number): Piece | null => {
    if (!skipped(length)) return null;
    piece.start = at - length;
    piece.length = length;
    piece.at = chunkAt + piece.start;
    return piece;
  };
  const part = async (length: number): Promise<Buffer | null> => {
    while (at === piece.bytes.length) {
      const { value, done } = await iterator.next();
      if (done === true) return null;
      chunkAt += piece.bytes.length;
      piece.bytes = value;
      at = 0;
    }
    const start = at;
    at = Math.min(at + length, piece.bytes.length);
    return piece.bytes.subarray(start, at);
  };
  const read = async (length: number): Promise<Piece> => {
    const parts: Buffer[] = [];
    const from = chunkAt + at;
    for (let left = length; left > 0; ) {
      const next = await part(left);
      if (next === null) break;
      parts.push(next);
      left -= next.length;
    }
    const bytes = Buffer.concat(parts);
    return { bytes, start: 0, length: bytes.length, at: from };
  };
  return { buffered, skipped, read, part };
}
