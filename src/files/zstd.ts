/**
 * zstd, RFC 8878: by node:zlib from Node.js 22.15 on, before by a library in JavaScript. A chunk of its own in the release:
 * what is wrong is thrown as a plain Error, whose class is the same there.
 */
import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import { Decompress } from "fzstd";
import { piecesOf } from "./zstd-frames.ts";

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
  for await (const piece of piecesOf(chunks)) {
    decoder.push(piece);
    yield* pieces;
    pieces = [];
  }
  decoder.push(new Uint8Array(0), true);
  yield* pieces;
}
