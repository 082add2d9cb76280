/**
 * Walks through a tar archive. The walk asks for bytes or passes over them, so that one piece of code serves files,
 * where passing over is seeking, and streams.
 */
import {
  ArchiveError,
  type Attributes,
  attributesOf,
  BLOCK,
  type EntryKind,
  type Extended,
  extendedLength,
  type Header,
  hasData,
  kindOf,
  oldSparse,
  type Piece,
  paxSparse,
  readHeader,
  readPax,
  type Sparse,
  sizeOf,
  textAt,
} from "./tar-header.ts";

export interface TarEntry {
  /** absolute, without `.`, `..`, doubled slashes or one at the end; latin1 */
  readonly path: string;
  readonly kind: EntryKind;
  readonly attributes: Attributes;
  /** of a link as it is written; of a hard link the path of the other name */
  readonly target: string;
  /** the data: its place in the archive, its bytes there, and its holes */
  readonly start: number;
  readonly length: number;
  readonly sparse: Sparse | null;
}

/** What is done with the data of an entry: read it, hand it on as a stream, or pass over it. */
export type Use = "read" | "stream" | "pass";

export interface Visitor {
  /** called for each entry, before anything else of it is read: most are of no interest */
  readonly concerns: (path: string, kind: EntryKind) => boolean;
  readonly enter: (entry: TarEntry) => Use;
  /** the data of an entry that is read; as long as it is, the bytes are the archive's and must be copied to be kept */
  readonly data: (entry: TarEntry, bytes: Buffer) => void;
}

/** `read` is answered with so many bytes, fewer at the end of the archive; the others with nothing. */
export interface Step {
  readonly kind: Use;
  readonly length: number;
  /** of `stream` */
  readonly entry: TarEntry | null;
}

/** Ours: 200,000 pieces, 5 MB of map. */
const MAX_SPARSE_BLOCKS = 10_000;
/** PATH_MAX: no system can unpack longer names. */
const MAX_PATH = 4096;
const NOTHING: Extended = new Map();

const READ_HEADER: Step = { kind: "read", length: BLOCK, entry: null };

export function* walkTar(visitor: Visitor): Generator<Step, void, Piece> {
  let at = 0;
  let extended: Extended = NOTHING;
  for (;;) {
    let block = yield READ_HEADER;
    if (block.length === 0) return;
    if (block.length < BLOCK) throw cutShort();
    const header = readHeader(block, at);
    if (header === null) return;
    at += BLOCK;
    if (isExtension(header.flag)) {
      const length = extendedLength(header.size, at);
      const data = yield* readData(length);
      extended = withExtension(extended, header.flag, data, at);
      at += padded(length);
      continue;
    }
    const isPlain = extended === NOTHING;
    const length = !hasData(header.flag) ? 0 : isPlain ? header.size : sizeOf(header, extended, at);
    const name = isPlain ? header.name : nameOf(header, extended);
    const kind = kindOf(header.flag, name);
    const path = insidePath(name);
    let sparse = isPlain ? null : paxSparse(extended);
    if (header.flag === "S") {
      // these bytes are gone when the next block is asked for
      block = copyOf(block);
      const more = yield* readSparseBlocks(block, at);
      sparse = oldSparse(block, more, at);
      at += more.length * BLOCK;
    }
    if (visitor.concerns(path, kind)) {
      const target = extended.get("linkpath") ?? textAt(block.bytes, block.start + 157, 100);
      const attributes = attributesOf(block, extended);
      const entry: TarEntry = {
        path,
        kind,
        attributes,
        target: kind === "hard-link" ? insidePath(target) : target,
        start: at,
        length,
        sparse,
      };
      yield* useData(visitor, entry);
    } else if (length > 0) yield { kind: "pass", length: padded(length), entry: null };
    at += padded(length);
    extended = NOTHING;
  }
}

/** GNU's long names and links, pax records for the next entry and for all. */
function isExtension(flag: string): boolean {
  return flag === "L" || flag === "K" || flag === "x" || flag === "X" || flag === "g";
}

/** Records for all entries are passed over, as Docker and containerd do. */
function withExtension(before: Extended, flag: string, data: Buffer, at: number): Extended {
  if (flag === "g") return before;
  const after = flag === "L" || flag === "K" ? new Map<string, string>() : readPax(data, at);
  if (flag === "L") after.set("path", textAt(data, 0, data.length));
  if (flag === "K") after.set("linkpath", textAt(data, 0, data.length));
  return new Map([...before, ...after]);
}

function* readData(length: number): Generator<Step, Buffer, Piece> {
  if (length === 0) return Buffer.alloc(0);
  const data = yield { kind: "read", length: padded(length), entry: null };
  if (data.length < length) throw cutShort();
  return data.bytes.subarray(data.start, data.start + length);
}

function* useData(visitor: Visitor, entry: TarEntry): Generator<Step, void, Piece> {
  const use = visitor.enter(entry);
  if (use === "read") visitor.data(entry, yield* readData(entry.length));
  else if (entry.length > 0) yield { kind: use, length: padded(entry.length), entry };
}

/** A map that does not fit the header goes on in blocks of its own. */
function* readSparseBlocks(header: Piece, at: number): Generator<Step, Buffer[], Piece> {
  const blocks: Buffer[] = [];
  for (let more = header.bytes[header.start + 482] !== 0; more; more = blocks.at(-1)?.[504] !== 0) {
    const next = yield READ_HEADER;
    if (next.length < BLOCK) throw cutShort();
    if (blocks.length === MAX_SPARSE_BLOCKS)
      throw new ArchiveError(`a sparse file in too many pieces at byte ${at}`);
    blocks.push(copyOf(next).bytes);
  }
  return blocks;
}

function copyOf({ bytes, start, length }: Piece): Piece {
  return { bytes: Buffer.from(bytes.subarray(start, start + length)), start: 0, length };
}

function padded(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}

function nameOf({ name }: Header, extended: Extended): string {
  return extended.get("GNU.sparse.name") ?? extended.get("path") ?? name;
}

export function cutShort(): ArchiveError {
  return new ArchiveError("the archive ends in the middle of an entry: it is cut short");
}

const DOT = 0x2e;
const SLASH = 0x2f;

/** An archive that names files outside of itself is refused, as Docker does ("breakout"). */
export function insidePath(name: string): string {
  if (name.length > MAX_PATH)
    throw new ArchiveError(`a name of ${name.length} bytes: the longest is ${MAX_PATH}`);
  // most names need no regular expression, which takes longer than all else here
  const start = name.startsWith("./") ? 2 : 0;
  const first = name.charCodeAt(start);
  if (first !== DOT && first !== SLASH && !name.includes("//") && !name.includes("/.", start))
    return `/${name.slice(start, name.endsWith("/") ? -1 : undefined)}`;
  const bare = name.replace(/^(?:\.?\/+)+/, "").replace(/\/+$/, "");
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(bare)) return `/${bare}`;
  const done: string[] = [];
  for (const part of bare.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") done.push(part);
    else if (done.pop() === undefined)
      throw new ArchiveError(`the entry "${name}" leads out of the archive: nothing unpacks that`);
  }
  return `/${done.join("/")}`;
}
