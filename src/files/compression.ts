/** Compressed layers and archives: gzip through node:zlib, zstd through it where it has it, else through a library. */
import type { Transform } from "node:stream";
import type { Chunks } from "./archive-bytes.ts";
import { ArchiveError } from "./tar-header.ts";

export type Compression = "none" | "gzip" | "zstd";

/** Large pieces: with zlib's own 16 KiB it takes twice the time. */
const PIECE = 1024 * 1024;
/** Ours: gzip and zstd make a thousand bytes of one where nothing is in them; no layer that is used does so for long. */
const BOMB = { bytes: 2 * 1024 ** 3, ratio: 200 };

/** bzip2, xz, lz4, lzma */
const OTHERS = ["BZh", "\xfd7zX", "\x04\x22\x4d\x18", "\x5d\0\0"];

/** By the first bytes (RFC 1952, RFC 8878; a zstd stream may begin with a frame to skip). Null: another compression. */
export function compressionOf(start: Buffer): Compression | null {
  const text = start.toString("latin1", 0, 4);
  if (text.startsWith("\x1f\x8b")) return "gzip";
  if (text === "\x28\xb5\x2f\xfd" || (text.endsWith("\x2a\x4d\x18") && text >= "\x50" && text < "\x60"))
    return "zstd";
  return OTHERS.some((beginning) => text.startsWith(beginning)) ? null : "none";
}

/** Bytes read, and made of them. */
export interface Expansion {
  read: number;
  made: number;
}

/** The chunks as they were before they were compressed; those that share a count are one bomb together. */
export async function* expanded(
  chunks: Chunks,
  compression: Compression,
  count: Expansion = { read: 0, made: 0 },
): Chunks {
  if (compression === "none") {
    yield* chunks;
    return;
  }
  const counted = counting(chunks, count);
  try {
    for await (const piece of compression === "gzip" ? gunzipped(counted) : unzstd(counted)) {
      count.made += piece.length;
      if (count.made > BOMB.bytes && count.made > count.read * BOMB.ratio)
        throw new ArchiveError(
          `it makes ${count.made} bytes of ${count.read}: that is a bomb, and not read any further`,
        );
      yield piece;
    }
  } catch (error) {
    if (error instanceof ArchiveError || (error instanceof Error && "syscall" in error)) throw error;
    const because = error instanceof Error ? error.message : String(error);
    throw new ArchiveError(`its ${compression} data is damaged or cut short (${because})`);
  }
}

async function* counting(chunks: Chunks, count: Expansion): Chunks {
  for await (const chunk of chunks) {
    count.read += chunk.length;
    yield chunk;
  }
}

function gunzipped(chunks: Chunks): Chunks {
  return through(chunks, process.getBuiltinModule("node:zlib").createGunzip({ chunkSize: PIECE }));
}

async function* unzstd(chunks: Chunks): Chunks {
  const { decoded, nativeDecoder } = await import("./zstd.ts");
  const native = nativeDecoder(PIECE);
  yield* native === null ? decoded(chunks) : through(chunks, native);
}

/** What is wrong with the chunks themselves ends it, too. */
async function* through(chunks: Chunks, decoder: Transform): Chunks {
  // loaded only here: plain layers need none of it
  const { Readable } = process.getBuiltinModule("node:stream");
  const source = Readable.from(chunks, { objectMode: false, highWaterMark: PIECE });
  source.on("error", (error) => decoder.destroy(error));
  source.pipe(decoder);
  try {
    for await (const piece of decoder) yield piece;
  } finally {
    source.destroy();
    decoder.destroy();
  }
}
