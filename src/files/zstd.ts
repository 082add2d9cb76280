/** zstd, RFC 8878: by node:zlib from Node.js 22.15 on, before by a library in JavaScript. */
import { Readable, type Transform } from "node:stream";
import * as zlib from "node:zlib";
import { Decompress } from "fzstd";
import type { Chunks } from "./archive-bytes.ts";
import { ArchiveError } from "./tar-header.ts";

/** What zstd(1) itself takes without --long: a frame may ask for 2 GB of memory. */
const MAX_WINDOW = 128 * 1024 * 1024;

export async function* zstdChunks(chunks: Chunks): Chunks {
  const native = nativeDecoder();
  try {
    yield* native === null ? decoded(chunks) : Readable.from(chunks, { objectMode: false }).pipe(native);
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    const because = error instanceof Error ? error.message : String(error);
    throw new ArchiveError(`its zstd data is damaged or cut short (${because})`);
  }
}

/** Node's types here are those of the oldest release that is supported, which has no zstd. */
function nativeDecoder(): Transform | null {
  const create: unknown = Reflect.get(zlib, "createZstdDecompress");
  return typeof create === "function" ? create({ chunkSize: 1024 * 1024 }) : null;
}

async function* decoded(chunks: Chunks): Chunks {
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
    throw new ArchiveError("its zstd frame asks for more than 128 MiB of memory");
}
