/**
 * zstd, RFC 8878: by node:zlib from Node.js 22.15 on, before by a library in JavaScript. A chunk of its own in the release:
 * what is wrong is thrown as a plain Error, whose class is the same there.
 */
import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import { Decompress } from "fzstd";

/** What zstd(1) itself takes without --long: a frame may ask for 2 GB of memory. */
const MAX_WINDOW = 128 * 1024 * 1024;

/** Null where this Node.js has none. Its types here are those of the oldest release that is supported. */
export function nativeDecoder(chunkSize: number): Transform | null {
  const create: unknown = Reflect.get(zlib, "createZstdDecompress");
  return typeof create === "function" ? create({ chunkSize }) : null;
}

export async function* decoded(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let pieces: Buffer[] = [];
  const decoder = new Decompress((piece) => {
    pieces.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
  });
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst) refuseHugeWindow(chunk);
    isFirst = false;
    decoder.push(chunk);
    yield* pieces;
    pieces = [];
  }
  decoder.push(new Uint8Array(0), true);
  yield* pieces;
}

/** Window_Descriptor; a frame of a single segment says its own size instead, which ends with it. */
function refuseHugeWindow(start: Buffer): void {
  if (start.length < 6 || start.readUInt32LE(0) !== 0xfd2fb528 || ((start[4] ?? 0) & 0x20) !== 0) return;
  const descriptor = start[5] ?? 0;
  const base = 2 ** (10 + (descriptor >> 3));
  if (base + (base / 8) * (descriptor & 7) > MAX_WINDOW)
    throw new Error("a frame asks for more than 128 MiB of memory");
}
