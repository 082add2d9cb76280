/**
 * Walks through a tar archive. The walk asks for bytes or passes over them, so that one piece of code serves files,
 * where passing over is seeking, and streams. It is a function that is called once an entry, not a generator: V8 takes
 * thousands of entries to make a generator fast, which most images do not have.
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
  sparseName,
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
  /** True when of this folder's files none is of interest, whatever its name, unless that begins with a dot. Asked behind `concerns`. */
  readonly passesBeside: (path: string) => boolean;
  readonly enter: (entry: TarEntry) => Use;
  /** the data of an entry that is read; as long as it is, the bytes are the archive's and must be copied to be kept */
  readonly data: (entry: TarEntry, bytes: Buffer) => void;
}

/** What is done next; then the walk is given the bytes of `read`, or after the others those of the next header. */
export interface Step {
  readonly kind: Use;
  readonly length: number;
  /** of `stream` */
  readonly entry: TarEntry | null;
}

/** Given fewer bytes than were asked for where the archive ends; null when all has been seen. */
export type Walk = (piece: Piece) => Step | null;

/** Ours: 200,000 pieces, 5 MB of map. */
const MAX_SPARSE_BLOCKS = 10_000;
/** PATH_MAX: no system can unpack longer names. */
const MAX_PATH = 4096;
const NOTHING: Extended = new Map();

/** With which every walk begins. */
export const READ_HEADER: Step = { kind: "read", length: BLOCK, entry: null };

export function walkTar(visitor: Visitor): Walk {
  /** of what follows the header at hand */
  let at = 0;
  let extended: Extended = NOTHING;
  let take: Walk = takeHeader;

  function takeHeader(block: Piece): Step | null {
    // behind an extended header an entry is due
    if (block.length === 0 && extended === NOTHING) return null;
    if (block.length < BLOCK) throw block.at === 0 ? noTar() : cutShort();
    const header = readHeader(block);
    at = block.at + BLOCK;
    if (header === null) {
      take = takeEnd;
      return READ_HEADER;
    }
    if (isExtension(header.flag)) return takeExtension(header);
    if (header.flag === "S") return takeSparse(header, copyOf(block));
    return enter(header, block, extended === NOTHING ? null : paxSparse(extended));
  }

  /** Two blocks of zeros; behind a single one that is not all there is (archive/tar, readHeader). */
  function takeEnd(block: Piece): Step | null {
    if (block.length < BLOCK || readHeader(block) === null) return null;
    throw new ArchiveError(`an entry at byte ${block.at}, behind a block of zeros: it is damaged`);
  }

  function takeExtension({ flag, size }: Header): Step {
    return reading(extendedLength(size, at), (data) => {
      extended = withExtension(extended, flag, data, at);
    });
  }

  /** A map that does not fit the header goes on in blocks of its own. */
  function takeSparse(header: Header, block: Piece): Step {
    const blocks: Buffer[] = [];
    const goOn = (hasMore: boolean): Step => {
      if (!hasMore) return enter(header, block, oldSparse(block, blocks, at));
      if (blocks.length === MAX_SPARSE_BLOCKS)
        throw new ArchiveError(`a sparse file in too many pieces at byte ${at}`);
      take = (next) => {
        if (next.length < BLOCK) throw cutShort();
        const more = copyOf(next).bytes;
        blocks.push(more);
        at += BLOCK;
        return goOn(more[504] !== 0);
      };
      return READ_HEADER;
    };
    return goOn(block.bytes[482] !== 0);
  }

  function enter(header: Header, block: Piece, sparse: Sparse | null): Step {
    take = takeHeader;
    const length = hasData(header.flag) ? sizeOf(header, extended, at) : 0;
    const name = extended === NOTHING ? header.name : nameOf(header, extended);
    const kind = kindOf(header.flag, name);
    const path = insidePath(name);
    if (!visitor.concerns(path, kind)) return passing("pass", length, null);
    const target = linkOf(block, extended);
    const attributes = attributesOf(block, extended);
    const inside = kind === "hard-link" ? insidePath(target) : target;
    const entry: TarEntry = { path, kind, attributes, target: inside, start: at, length, sparse };
    const use = visitor.enter(entry);
    if (use !== "read") return passing(use, length, entry);
    extended = NOTHING;
    return reading(length, (data) => visitor.data(entry, data));
  }

  function passing(kind: Use, length: number, entry: TarEntry | null): Step {
    extended = NOTHING;
    return { kind, length: padded(length), entry };
  }

  function reading(length: number, use: (data: Buffer) => void): Step {
    take = ({ bytes, start, length: given }) => {
      if (given < length) throw cutShort();
      use(bytes.subarray(start, start + length));
      take = takeHeader;
      return READ_HEADER;
    };
    return { kind: "read", length: padded(length), entry: null };
  }

  return (piece) => take(piece);
}

/** GNU's long names and links, pax records for the next entry and for all. */
function isExtension(flag: string): boolean {
  return flag === "L" || flag === "K" || flag === "x" || flag === "X" || flag === "g";
}

/**
 * As Go has them (archive/tar, reader.go next): pax records are the last header's alone, GNU's names stay beside them.
 * Records for all entries are passed over, as Docker and containerd do; what stood before them is lost.
 */
function withExtension(before: Extended, flag: string, data: Buffer, at: number): Extended {
  if (flag === "g") return NOTHING;
  if (flag === "L" || flag === "K") return new Map([...before, [flag, textAt(data, 0, data.length)]]);
  const names = [...before].filter(([keyword]) => keyword === "L" || keyword === "K");
  return new Map([...readPax(data, at), ...names]);
}

function copyOf({ bytes, start, length, at }: Piece): Piece {
  return { bytes: Buffer.from(bytes.subarray(start, start + length)), start: 0, length, at };
}

function padded(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}

/** What is empty says nothing. */
function nameOf({ name }: Header, extended: Extended): string {
  return sparseName(extended) || extended.get("L") || extended.get("path") || name;
}

function linkOf({ bytes, start }: Piece, extended: Extended): string {
  return extended.get("K") || extended.get("linkpath") || textAt(bytes, start + 157, 100);
}

function noTar(): ArchiveError {
  return new ArchiveError("it is too short for a tar: no image, and no root file system");
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
