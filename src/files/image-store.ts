/** Where the layers of an image are: parts of a file or files of a folder, which are read in any order, or a stream. */
import { statSync } from "node:fs";
import { posix } from "node:path";
import {
  type Chunks,
  openRange,
  partOf,
  type Range,
  rangeChunks,
  readRange,
  walkChunks,
  walkRange,
} from "./archive-bytes.ts";
import { type Compression, compressionOf, type Expansion, expanded } from "./compression.ts";
import { folderTree } from "./folder.ts";
import { hashFor, type ImageLayer, type ReadMember } from "./image-manifest.ts";
import {
  type Budget,
  collect,
  openKeeper,
  type ScannedLayer,
  type Scanning,
  scanChunks,
  scanRange,
} from "./layer.ts";
import type { TarEntry, Visitor } from "./tar.ts";
import { ArchiveError } from "./tar-header.ts";
import type { Wanted } from "./wanted.ts";

export interface Store {
  readonly readMember: ReadMember;
  readonly scanLayers: (layers: readonly ImageLayer[], wanted: Wanted) => Promise<readonly ScannedLayer[]>;
  /** the archive itself as the tar of a root; null for a folder */
  readonly scanRoot: ((wanted: Wanted) => Promise<ScannedLayer>) | null;
  /** what is wanted after it was opened counts from the second scan on */
  readonly isStream: boolean;
}

/** Ours: larger manifests and configurations are not read. */
const MAX_JSON = 4 * 1024 * 1024;
/** Ours: an archive of images has fewer members than this; with more it is the tar of a root. */
const MAX_MEMBERS = 20_000;
/** zlib works in threads of its own, of which a process of Node.js has four. */
const ZLIB_THREADS = 4;

/** Opens a file or a layout's folder, by a path of this machine, latin1, in one of so many threads that do so. */
export async function openStore(path: string, wanted: Wanted, threads: number): Promise<Store> {
  const bytes = Buffer.from(path, "latin1");
  const atOnce = Math.ceil(ZLIB_THREADS / threads);
  if (statSync(bytes).isDirectory()) return layoutStore(path, atOnce);
  const range = openRange(bytes);
  const compression = knownCompression(readRange(range, 0, 4));
  return compression === "none" ? archiveStore(range, atOnce) : streamStore(range, compression, wanted);
}

function knownCompression(start: Buffer): Compression {
  const compression = compressionOf(start);
  if (compression === null)
    throw new ArchiveError("it is compressed with something else than gzip and zstd: unpack it first");
  return compression;
}

/** Links in the folder are resolved inside it, so a layout cannot name a file outside. */
function layoutStore(folder: string, atOnce: number): Store {
  const tree = folderTree(Buffer.from(folder, "latin1"));
  const opened = new Map<string, Range>();
  const rangeOf = (name: string): Range | null => {
    const found = tree.stat(`/${name}`);
    if (found?.kind !== "file") return null;
    const range =
      opened.get(found.realPath) ?? openRange(Buffer.from(`${folder}${found.realPath}`, "latin1"));
    opened.set(found.realPath, range);
    return range;
  };
  return { ...rangesStore(rangeOf, atOnce), scanRoot: null };
}

function archiveStore(range: Range, atOnce: number): Store {
  const members = new Map<string, TarEntry>();
  let isRoot = false;
  walkRange(range, {
    concerns: (_, kind) => !isRoot && kind !== "folder",
    passesBeside: () => isRoot,
    enter: (entry) => {
      members.set(entry.path, entry);
      isRoot = members.size > MAX_MEMBERS;
      return "pass";
    },
    data: () => {},
  });
  if (isRoot) members.clear();
  const rangeOf = (name: string): Range | null => {
    const entry = memberAt(members, `/${name}`);
    return entry === null ? null : partOf(range, entry.start, entry.length);
  };
  return {
    ...rangesStore(rangeOf, atOnce),
    scanRoot: async (wanted) =>
      scanRange(range, { wanted, keeper: openKeeper({ bytes: 0 }), kind: "root", layer: 0 }),
  };
}

/** Nearly all are; to find out by `normalize` takes V8 as long as reading the member. */
function isNormal(path: string): boolean {
  return !path.includes("//") && !path.includes("/.");
}

/** `docker save` of old writes a layer that two images share as a link. */
function memberAt(members: ReadonlyMap<string, TarEntry>, path: string): TarEntry | null {
  const entry = members.get(isNormal(path) ? path : posix.normalize(path));
  if (entry?.kind === "file") return entry;
  if (entry === undefined || entry.kind === "folder" || entry.kind === "other") return null;
  const target = entry.kind === "link" ? posix.join(posix.dirname(path), entry.target) : entry.target;
  const other = members.get(target);
  return other?.kind === "file" ? other : null;
}

function rangesStore(rangeOf: (name: string) => Range | null, atOnce: number): Omit<Store, "scanRoot"> {
  return {
    isStream: false,
    readMember: (name) => {
      const range = rangeOf(name);
      if (range !== null && range.length > MAX_JSON)
        throw new ArchiveError(`${name} in it is larger than 4 MiB`);
      return range === null ? null : readRange(range, 0, range.length);
    },
    scanLayers: async (layers, wanted) => {
      const keeper = openKeeper({ bytes: 0 });
      const expansion: Expansion = { read: 0, made: 0 };
      const stored = layers.map((layer) => storedLayer(layer, rangeOf));
      // an image may name a layer many times: it is read for the last of them, whose files count
      const last = new Map(stored.map((layer) => [layer.key, layer]));
      const scanned = await sideBySide([...last.values()], atOnce, async ({ layer, range, digest }) => {
        const scanning = { wanted, keeper, kind: "layer", layer: layer.origin.index } as const;
        return inLayer(layer.member, () => scanLayer(range, digest, { scanning, expansion }));
      });
      const byKey = new Map([...last.keys()].map((key, index) => [key, scanned[index]]));
      return stored.flatMap(({ key }) => byKey.get(key) ?? []);
    },
  };
}

interface StoredLayer {
  readonly layer: ImageLayer;
  readonly range: Range;
  /** null: none is known, or it is that of a plain layer */
  readonly digest: string | null;
  /** equal for the same bytes to be checked by the same digest */
  readonly key: string;
}

function storedLayer(layer: ImageLayer, rangeOf: (name: string) => Range | null): StoredLayer {
  const { member, size, origin } = layer;
  const range = rangeOf(member);
  if (range === null) throw new ArchiveError(`it has no member "${member}", which its manifest names`);
  if (size !== null && range.length !== size)
    throw new ArchiveError(
      `layer ${member}: it has ${range.length} bytes, not the ${size} that its manifest names: it is damaged`,
    );
  const digest = origin.diffId === origin.digest ? null : origin.digest;
  return { layer, range, digest, key: `${range.handle} ${range.start} ${digest ?? ""}` };
}

async function scanLayer(
  range: Range,
  digest: string | null,
  { scanning, expansion }: { readonly scanning: Scanning; readonly expansion: Expansion },
): Promise<ScannedLayer> {
  const compression = knownCompression(readRange(range, 0, 4));
  if (compression === "none") return scanRange(range, scanning);
  return scanChunks(expanded(verified(rangeChunks(range), digest), compression, expansion), scanning);
}

/** What is read whole is checked against its digest, which also tells of damage that zstd does not. */
async function* verified(chunks: Chunks, digest: string | null): Chunks {
  const hash = hashFor(digest);
  if (hash === null || digest === null) {
    yield* chunks;
    return;
  }
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  if (!digest.endsWith(`:${hash.digest("hex")}`))
    throw new ArchiveError(`it does not have the digest ${digest}: it is damaged`);
}

async function inLayer<T>(member: string, scan: () => Promise<T>): Promise<T> {
  try {
    return await scan();
  } catch (error) {
    throw error instanceof ArchiveError ? new ArchiveError(`layer ${member}: ${error.message}`) : error;
  }
}

/** Several at a time, the results in order; after a failure none is begun. */
async function sideBySide<A, B>(
  items: readonly A[],
  atOnce: number,
  work: (item: A) => Promise<B>,
): Promise<B[]> {
  const results: B[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

/** One reading of a compressed archive, of which nobody knows yet whether it holds an image or is a root. */
interface StreamReading {
  readonly documents: ReadonlyMap<string, Buffer>;
  readonly layers: ReadonlyMap<string, ScannedLayer | ArchiveError>;
  readonly members: ReadonlyMap<string, TarEntry>;
  readonly root: ScannedLayer;
}

/** Names of layers in all kinds of archives: OCI blobs, docker's old folders and new files, kaniko's. */
const LAYER =
  /^\/(?:blobs\/[^/]+\/[^/]+|[^/]+\/layer\.tar|(?:sha256:)?[0-9a-f]{64}(?:\.tar(?:\.(?:gz|zst))?)?)$/;
const DOCUMENT = /^\/[^/]+\.json$/;

/** A stream is read from its beginning, layers on the way: what a manifest at its end says of them comes later. */
async function streamStore(range: Range, compression: Compression, wanted: Wanted): Promise<Store> {
  const read = (): Promise<StreamReading> => readStream(expanded(rangeChunks(range), compression), wanted);
  let reading: StreamReading | null = await read();
  const { documents, members } = reading;
  const next = async (): Promise<StreamReading> => {
    const current = reading ?? (await read());
    reading = null;
    return current;
  };
  const nameOf = (name: string): string => memberAt(members, `/${name}`)?.path ?? `/${name}`;
  return {
    isStream: true,
    readMember: (name) => documents.get(nameOf(name)) ?? null,
    scanLayers: async (layers) => {
      const current = await next();
      return layers.map(({ member }) => {
        const layer = current.layers.get(nameOf(member));
        if (layer === undefined)
          throw new ArchiveError(`it has no layer "${member}", which its manifest names`);
        if (layer instanceof ArchiveError) throw new ArchiveError(`layer ${member}: ${layer.message}`);
        return layer;
      });
    },
    scanRoot: async () => (await next()).root,
  };
}

async function readStream(chunks: Chunks, wanted: Wanted): Promise<StreamReading> {
  const budget: Budget = { bytes: 0 };
  const expansion: Expansion = { read: 0, made: 0 };
  const documents = new Map<string, Buffer>();
  const layers = new Map<string, ScannedLayer | ArchiveError>();
  const members = new Map<string, TarEntry>();
  const root = collect({ wanted, keeper: openKeeper(budget), kind: "root", layer: 0 }, null);
  const isMember = (path: string): boolean => LAYER.test(path) || DOCUMENT.test(path);
  const visitor: Visitor = {
    concerns: (path, kind) => (isMember(path) && kind !== "folder") || root.visitor.concerns(path, kind),
    passesBeside: () => false,
    enter: (entry) => {
      if (!isMember(entry.path)) return root.visitor.enter(entry);
      if (members.size < MAX_MEMBERS) members.set(entry.path, entry);
      return entry.kind === "file" && entry.length > 0 ? "stream" : "pass";
    },
    data: root.visitor.data,
  };
  await walkChunks(chunks, visitor, async ({ path, length }, data) => {
    const [start, whole] = await peek(data);
    if ((start[0] === 0x7b || start[0] === 0x5b) && length <= MAX_JSON)
      documents.set(path, await joined(whole, budget));
    else if (LAYER.test(path)) layers.set(path, await scanned(start, whole, { wanted, budget, expansion }));
  });
  return { documents, layers, members, root: root.scanned };
}

/** A failure is told when a manifest names the layer: anything may have such a name. */
async function scanned(
  start: Buffer,
  chunks: Chunks,
  {
    wanted,
    budget,
    expansion,
  }: { readonly wanted: Wanted; readonly budget: Budget; readonly expansion: Expansion },
): Promise<ScannedLayer | ArchiveError> {
  try {
    const compression = knownCompression(start.subarray(0, 4));
    const scanning = { wanted, keeper: openKeeper(budget), kind: "layer", layer: 0 } as const;
    return await scanChunks(expanded(chunks, compression, expansion), scanning);
  } catch (error) {
    if (error instanceof ArchiveError) return error;
    throw error;
  }
}

async function peek(chunks: Chunks): Promise<readonly [Buffer, Chunks]> {
  const iterator = chunks[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  while (start.length < 4) {
    const { value, done } = await iterator.next();
    if (done === true) break;
    start = Buffer.concat([start, value]);
  }
  async function* whole(): Chunks {
    yield start;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return [start, whole()];
}

async function joined(chunks: Chunks, budget: Budget): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  const bytes = Buffer.concat(parts);
  budget.bytes += bytes.length;
  return bytes;
}
