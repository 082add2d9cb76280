/** The bytes of archives: a range of a file, in which what is not wanted is passed over by seeking, or a stream. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { cutShort, type Step, type TarEntry, type Visitor, walkTar } from "./tar.ts";
import { ArchiveError, BLOCK } from "./tar-header.ts";

/** A part of an open file. */
export interface Range {
  readonly handle: number;
  readonly start: number;
  readonly length: number;
}

export type Chunks = AsyncIterable<Buffer>;

/** What is done with the data of an entry that is handed on; it is read to its end in any case. */
export type Receive = (entry: TarEntry, data: Chunks) => Promise<void>;

/** As far as a window grows while everything in it is wanted, and what one read takes of a stream. */
const MAX_WINDOW = 256 * 1024;
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
  return readInto(Buffer.allocUnsafe(Math.max(0, Math.min(length, range.length - offset))), range, offset);
}

/** Fills the buffer as far as there are bytes. */
function readInto(buffer: Buffer, range: Range, offset: number): Buffer {
  const wanted = Math.max(0, Math.min(buffer.length, range.length - offset));
  let done = 0;
  while (done < wanted) {
    const read = readSync(range.handle, buffer, done, wanted - done, range.start + offset + done);
    if (read === 0) break;
    done += read;
  }
  return buffer.subarray(0, done);
}

export function partOf(range: Range, start: number, length: number): Range {
  return { handle: range.handle, start: range.start + start, length };
}

/** Headers lie close together or far apart: a window grows while the next one is in it, and shrinks when not. */
export function walkRange(range: Range, visitor: Visitor): void {
  const walk = walkTar(visitor);
  // most windows are a header each: one buffer serves them all
  const memory = Buffer.allocUnsafe(MAX_WINDOW);
  let window: Buffer = memory.subarray(0, 0);
  let windowStart = 0;
  let grow = BLOCK;
  let at = 0;
  let answer: Buffer = window;
  for (;;) {
    const { value: step, done } = walk.next(answer);
    if (done === true) return;
    if (step.kind !== "read") {
      at += step.length;
      if (at > range.length) throw cutShort();
      continue;
    }
    if (at + step.length > windowStart + window.length) {
      const isNear = at <= windowStart + window.length;
      grow = isNear ? Math.min(grow * 2, MAX_WINDOW) : BLOCK;
      const length = Math.max(step.length, grow);
      window =
        length <= MAX_WINDOW ? readInto(memory.subarray(0, length), range, at) : readRange(range, at, length);
      windowStart = at;
    }
    answer = window.subarray(at - windowStart, at - windowStart + step.length);
    at += step.length;
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
  let answer: Buffer = Buffer.alloc(0);
  for (;;) {
    const { value: step, done } = walk.next(answer);
    if (done === true) break;
    if (step.kind === "read") answer = stream.buffered(step.length) ?? (await stream.read(step.length));
    else await passOver(stream, step, receive);
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
  /** what is there already, when it is enough */
  readonly buffered: (length: number) => Buffer | null;
  /** fewer bytes at the end */
  readonly read: (length: number) => Promise<Buffer>;
  /** up to so many bytes; null at the end */
  readonly part: (length: number) => Promise<Buffer | null>;
}

function openStream(chunks: Chunks): Stream {
  const iterator = chunks[Symbol.asyncIterator]();
  let chunk: Buffer = Buffer.alloc(0);
  let at = 0;
  const buffered = (length: number): Buffer | null => {
    if (chunk.length - at < length) return null;
    at += length;
    return chunk.subarray(at - length, at);
  };
  const part = async (length: number): Promise<Buffer | null> => {
    while (at === chunk.length) {
      const { value, done } = await iterator.next();
      if (done === true) return null;
      chunk = value;
      at = 0;
    }
    return buffered(Math.min(length, chunk.length - at));
  };
  const read = async (length: number): Promise<Buffer> => {
    const parts: Buffer[] = [];
    for (let left = length; left > 0; ) {
      const next = await part(left);
      if (next === null) break;
      parts.push(next);
      left -= next.length;
    }
    return Buffer.concat(parts);
  };
  return { buffered, read, part };
}
