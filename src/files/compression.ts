/** Compressed layers and archives: gzip through node:zlib, zstd through it where it has it, else through a library. */
import type { Chunks } from "./archive-bytes.ts";
import { ArchiveError } from "./tar-header.ts";

export type Compression = "none" | "gzip" | "zstd";

/** Large pieces: with zlib's own 16 KiB it takes twice the time. */
const PIECE = 1024 * 1024;
/** Ours: gzip and zstd make a thousand bytes of one where nothing is in them; no layer that is used does so for long. */
const BOMB = { bytes: 2 * 1024 ** 3, ratio: 200 };

/** By the first bytes (RFC 1952, RFC 8878; a zstd stream may begin with a frame to skip). Null: another compression. */
export function compressionOf(start: Buffer): Compression | null {
  const hex = start.toString("hex", 0, 4);
  if (hex.startsWith("1f8b")) return "gzip";
  if (hex === "28b52ffd" || /^5.2a4d18$/.test(hex)) return "zstd";
  return /^(?:425a68|fd377a58|04224d18|5d0000)/.test(hex) ? null : "none";
}

/** The chunks as they were before they were compressed. */
export async function* expanded(chunks: Chunks, compression: Compression): Chunks {
  if (compression === "none") {
    yield* chunks;
    return;
  }
  const count = { read: 0, made: 0 };
  const counted = counting(chunks, count);
  for await (const piece of compression === "gzip" ? gunzipped(counted) : await unzstd(counted)) {
    count.made += piece.length;
    if (count.made > BOMB.bytes && count.made > count.read * BOMB.ratio)
      throw new ArchiveError(
        `it makes ${count.made} bytes of ${count.read}: that is a bomb, and not read any further`,
      );
    yield piece;
  }
}

async function* counting(chunks: Chunks, count: { read: number }): Chunks {
  for await (const chunk of chunks) {
    count.read += chunk.length;
    yield chunk;
  }
}

async function* gunzipped(chunks: Chunks): Chunks {
  // loaded only here: plain layers need none of it
  const { Readable } = process.getBuiltinModule("node:stream");
  const gunzip = process.getBuiltinModule("node:zlib").createGunzip({ chunkSize: PIECE });
  const source = Readable.from(chunks, { objectMode: false, highWaterMark: PIECE });
  source.on("error", (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  try {
    for await (const piece of gunzip) yield piece;
  } catch (error) {
    throw error instanceof ArchiveError ? error : damaged("gzip", error);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

async function unzstd(chunks: Chunks): Promise<Chunks> {
  const { zstdChunks } = await import("./zstd.ts");
  return zstdChunks(chunks);
}

export function damaged(format: string, error: unknown): ArchiveError {
  const because = error instanceof Error ? error.message : String(error);
  return new ArchiveError(`its ${format} data is damaged or cut short (${because})`);
}
