/** The bytes of archives: a range of a file, in which what is not wanted is passed over by seeking, or a stream. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { cutShort, type Step, type TarEntry, type Visitor, walkTar } from "./tar.ts";
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

/** As far as a window grows; how far on a header is near: reading so much more costs less than another call. */
const MAX_WINDOW = 64 * 1024;
const NEAR = 4 * 1024;
/** What one read takes of a stream. */
const STREAM_READ = 512 * 1024;

/** The whole of a file, without waiting for a FIFO's other end. It stays open: bodies are read when they are asked for. */
export function openRange(path: string | Buffer): Range {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = fstatSync(handle);
  if (stats.isFile()) return { handle, start: 0, length: stats.size };
  closeSync(handle);
  throw new ArchiveError("it is no regular file");
}

/** Up to `length` bytes, fewer where the range or the file ends. */
export function readRange(range: Range, offset: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, range.length - offset)));
  return buffer.subarray(0, readInto(buffer, buffer.length, range, offset));
}

/** Fills the buffer as far as wanted and as there are bytes; how many there were. */
function readInto(buffer: Buffer, length: number, range: Range, offset: number): number {
  const wanted = Math.max(0, Math.min(length, range.length - offset));
  let done = 0;
  while (done < wanted) {
    const read = readSync(range.handle, buffer, done, wanted - done, range.start + offset + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

export function partOf(range: Range, start: number, length: number): Range {
  return { handle: range.handle, start: range.start + start, length };
}

/** Headers lie close together or far apart: a window grows while the next one is near, and is one header when not. */
export function walkRange(range: Range, visitor: Visitor): void {
  const walk = walkTar(visitor);
  // one buffer serves all windows, and one object all answers: there are as many as entries
  const memory = Buffer.allocUnsafe(MAX_WINDOW);
  const window = { bytes: memory, start: 0, length: 0 };
  const answer = { bytes: memory, start: 0, length: 0 };
  let size = BLOCK;
  let at = 0;
  for (;;) {
    const { value: step, done } = walk.next(answer);
    if (done === true) return;
    if (step.kind !== "read") {
      at += step.length;
      if (at > range.length) throw cutShort();
      continue;
    }
    const end = window.start + window.length;
    if (at + step.length > end) {
      size = at <= end + NEAR ? Math.min(size * 2, MAX_WINDOW) : BLOCK;
      const length = Math.max(step.length, size);
      window.bytes = length <= MAX_WINDOW ? memory : Buffer.allocUnsafe(Math.min(length, range.length));
      window.length = readInto(window.bytes, length, range, at);
      window.start = at;
    }
    answer.bytes = window.bytes;
    answer.start = at - window.start;
    answer.length = Math.min(step.length, window.length - answer.start);
    at += answer.length;
  }
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
  let answer: Piece = { bytes: Buffer.alloc(0), start: 0, length: 0 };
  for (;;) {
    const { value: step, done } = walk.next(answer);
    if (done === true) break;
    if (step.kind === "read") answer = stream.buffered(step.length) ?? (await stream.read(step.length));
    else if (step.kind === "stream" || !stream.skipped(step.length)) await passOver(stream, step, receive);
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
  const piece: { bytes: Buffer; start: number; length: number } = { bytes: Buffer.alloc(0), start: 0, length: 0 };
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
    return piece;
  };
  const part = async (length: number): Promise<Buffer | null> => {
    while (at === piece.bytes.length) {
      const { value, done } = await iterator.next();
      if (done === true) return null;
      piece.bytes = value;
      at = 0;
    }
    const start = at;
    at = Math.min(at + length, piece.bytes.length);
    return piece.bytes.subarray(start, at);
  };
  const read = async (length: number): Promise<Piece> => {
    const parts: Buffer[] = [];
    for (let left = length; left > 0; ) {
      const next = await part(left);
      if (next === null) break;
      parts.push(next);
      left -= next.length;
    }
    const bytes = Buffer.concat(parts);
    return { bytes, start: 0, length: bytes.length };
  };
  return { buffered, skipped, read, part };
}
