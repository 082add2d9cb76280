/**
 * Headers of tar archives: POSIX ustar and pax, GNU, star and V7, read as Go's archive/tar does, because that is what
 * puts the layers of an image together (pax(1), GNU tar's manual "Basic Tar Format", archive/tar/reader.go).
 */

/** What is wrong with an archive, in words for its user. */
export class ArchiveError extends Error {}

export const BLOCK = 512;
/** Ours: longer extended headers and names are refused. */
const MAX_EXTENDED = 1024 * 1024;

export type EntryKind = "file" | "folder" | "link" | "hard-link" | "other";

/** Where the data of a file with holes belongs; `null`: its map stands at the beginning of its data (pax 1.0). */
export interface Sparse {
  readonly size: number;
  readonly map: readonly (readonly [offset: number, length: number])[] | null;
}

/** Bytes in a buffer that holds others, too: theirs until the next ones are asked for. */
export interface Piece {
  readonly bytes: Buffer;
  readonly start: number;
  /** fewer than were asked for where the archive ends */
  readonly length: number;
  /** their place in the archive */
  readonly at: number;
}

/** What a header says of itself, before extended headers have their say. */
export interface Header {
  readonly flag: string;
  readonly name: string;
  /** of the data that follows */
  readonly size: number;
}

/** What pax records say of the next entry, by keyword, and GNU's long names, by the flags of their headers: L, K. */
export type Extended = ReadonlyMap<string, string>;

/** Null for a block of zeros, which ends an archive. */
export function readHeader({ bytes, start, at }: Piece): Header | null {
  if (bytes[start] === 0 && isEmpty(bytes, start)) return null;
  if (!hasChecksum(bytes, start))
    throw new ArchiveError(`no tar header at byte ${at}: it is damaged, or no tar`);
  const flag = String.fromCharCode(bytes[start + 156] ?? 0);
  return { flag, name: fullName(bytes, start), size: numberAt(bytes, start + 124, 12, at) };
}

function isEmpty(bytes: Buffer, start: number): boolean {
  for (let index = start; index < start + BLOCK; index++) if (bytes[index] !== 0) return false;
  return true;
}

/** The checksum counts its own field as blanks; old tars added signed bytes. */
function hasChecksum(bytes: Buffer, start: number): boolean {
  const stated = octal(bytes, start + 148, 8);
  const unsigned = 8 * 32 + sumOf(bytes, start, start + 148) + sumOf(bytes, start + 156, start + BLOCK);
  if (stated === unsigned) return true;
  let negative = 0;
  for (let index = 0; index < BLOCK; index++)
    if ((index < 148 || index >= 156) && (bytes[start + index] ?? 0) > 127) negative += 256;
  return stated === unsigned - negative;
}

/** Hot: a plain loop over bytes is what V8 makes fast soonest. */
function sumOf(bytes: Buffer, start: number, end: number): number {
  let sum = 0;
  for (let index = start; index < end; index++) sum += bytes[index] ?? 0;
  return sum;
}

/** The prefix field is POSIX's alone; star's is shorter; GNU keeps times there. */
function fullName(bytes: Buffer, start: number): string {
  const name = textAt(bytes, start, 100);
  if (bytes[start + 345] === 0 || bytes.toString("latin1", start + 257, start + 263) !== "ustar\0")
    return name;
  const isStar = bytes.toString("latin1", start + 508, start + 512) === "tar\0";
  return `${textAt(bytes, start + 345, isStar ? 131 : 155)}/${name}`;
}

export function textAt(bytes: Buffer, start: number, length: number): string {
  let end = start;
  while (end < start + length && bytes[end] !== 0) end++;
  return bytes.toString("latin1", start, end);
}

function numberAt(bytes: Buffer, start: number, length: number, at: number): number {
  const number = fieldAt(bytes, start, length);
  if (number !== null) return number;
  throw new ArchiveError(
    ((bytes[start] ?? 0) & 0x80) === 0
      ? `no number in the tar header at byte ${at}: it is damaged`
      : `a size out of range in the tar header at byte ${at}`,
  );
}

/** Octal digits, or a big-endian number behind a first byte of 0x80; null for anything else, negative ones too. */
function fieldAt(bytes: Buffer, start: number, length: number): number | null {
  const first = bytes[start] ?? 0;
  if ((first & 0x80) === 0) return octal(bytes, start, length);
  let number = first & 0x7f;
  for (let index = start + 1; index < start + length; index++) number = number * 256 + (bytes[index] ?? 0);
  return first === 0xff || !Number.isSafeInteger(number) ? null : number;
}

/** Blanks and NULs around the digits are as good as nothing; null for anything else. */
function octal(bytes: Buffer, start: number, length: number): number | null {
  let number = 0;
  let ended = false;
  for (let index = start; index < start + length; index++) {
    const byte = bytes[index] ?? 0;
    if (byte === 0x20 || byte === 0) ended = number > 0 || byte === 0;
    else if (ended || byte < 0x30 || byte > 0x37) return null;
    else number = number * 8 + (byte - 0x30);
  }
  return number;
}

/** Permissions, owner and time: of no importance to where the next header is, so damage reads as nothing. */
export function attributesOf({ bytes, start }: Piece, extended: Extended): Attributes {
  return {
    mode: (fieldAt(bytes, start + 100, 8) ?? 0) & 0o7777,
    uid: decimal(extended.get("uid")) ?? fieldAt(bytes, start + 108, 8) ?? 0,
    gid: decimal(extended.get("gid")) ?? fieldAt(bytes, start + 116, 8) ?? 0,
    modifiedMs: 1000 * (decimal(extended.get("mtime")) ?? fieldAt(bytes, start + 136, 12) ?? 0),
  };
}

export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedMs: number;
}

function decimal(text: string | undefined): number | null {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

/** V7 archives mark a folder by a slash at the end of its name; in newer ones that means nothing. */
export function kindOf(flag: string, name: string): EntryKind {
  if (flag === "\0") return name.endsWith("/") ? "folder" : "file";
  if (flag === "0" || flag === "7" || flag === "S") return "file";
  if (flag === "5" || flag === "D") return "folder";
  if (flag === "2") return "link";
  return flag === "1" ? "hard-link" : "other";
}

/** Links, folders and devices have no data, whatever their size says (archive/tar isHeaderOnly). */
export function hasData(flag: string): boolean {
  return flag < "1" || flag > "6";
}

/** How long the data of a header that describes the next one may be. */
export function extendedLength(size: number, at: number): number {
  if (size > MAX_EXTENDED) throw new ArchiveError(`an extended tar header of ${size} bytes at byte ${at}`);
  return size;
}

/** "LENGTH keyword=value\n" each; the parts of sparse maps of version 0.0 repeat, so they are joined by commas. */
export function readPax(data: Buffer, at: number): Map<string, string> {
  const records = new Map<string, string>();
  for (let start = 0; start < data.length; ) {
    const blank = data.indexOf(0x20, start);
    const length = Number(data.toString("latin1", start, blank === -1 ? start : blank));
    const equals = data.indexOf(0x3d, blank);
    const end = start + length;
    if (!(length > 0) || end > data.length || equals === -1 || equals >= end || data[end - 1] !== 0x0a)
      throw new ArchiveError(`a damaged extended tar header at byte ${at}`);
    const keyword = data.toString("latin1", blank + 1, equals);
    const value = data.toString("latin1", equals + 1, end - 1);
    if (keyword === "" || (/^(?:link)?path$/.test(keyword) && value.includes("\0")))
      throw new ArchiveError(`a damaged extended tar header at byte ${at}`);
    const before = records.get("GNU.sparse.map");
    if (keyword === "GNU.sparse.offset" || keyword === "GNU.sparse.numbytes")
      records.set("GNU.sparse.map", before === undefined ? value : `${before},${value}`);
    else records.set(keyword, value);
    start = end;
  }
  return records;
}

/** The size of the data that follows: pax's word counts, as sizes of 8 GiB do not fit the header. */
export function sizeOf(header: Header, extended: Extended, at: number): number {
  const stated = extended.get("size");
  if (stated === undefined || stated === "") return header.size;
  const size = decimal(stated);
  if (size === null || !Number.isSafeInteger(size))
    throw new ArchiveError(`no size in the extended tar header before byte ${at}`);
  return size;
}

/** The map in a GNU header of the old kind: 4 pairs, then blocks of 21 while the byte behind them says so. */
export function oldSparse({ bytes, start }: Piece, blocks: readonly Buffer[], at: number): Sparse {
  const map: (readonly [number, number])[] = [];
  const add = (from: Buffer, first: number, count: number): void => {
    for (let index = first; index < first + count * 24; index += 24) {
      if (from[index] === 0) return;
      map.push([numberAt(from, index, 12, at), numberAt(from, index + 12, 12, at)]);
    }
  };
  add(bytes, start + 386, 4);
  for (const more of blocks) add(more, 0, 21);
  return { size: numberAt(bytes, start + 483, 12, at), map };
}

/** Records of other versions, or of none, count for nothing (archive/tar, readGNUSparsePAXHeaders). */
function sparseVersion(extended: Extended): "0" | "1" | null {
  const [major = "", minor = ""] = [extended.get("GNU.sparse.major"), extended.get("GNU.sparse.minor")];
  if (major === "1" && minor === "0") return "1";
  if (major === "0" && (minor === "0" || minor === "1")) return "0";
  return major === "" && minor === "" && (extended.get("GNU.sparse.map") ?? "") !== "" ? "0" : null;
}

export function sparseName(extended: Extended): string {
  return sparseVersion(extended) === null ? "" : (extended.get("GNU.sparse.name") ?? "");
}

export function paxSparse(extended: Extended): Sparse | null {
  const version = sparseVersion(extended);
  if (version === null) return null;
  const size = decimal(extended.get("GNU.sparse.size") || extended.get("GNU.sparse.realsize"));
  const map = version === "1" ? null : pairs((extended.get("GNU.sparse.map") ?? "").split(",").map(Number));
  if (size === null || (map !== null && map.length !== decimal(extended.get("GNU.sparse.numblocks"))))
    throw new ArchiveError("a damaged map of a sparse file");
  return { size, map };
}

function pairs(numbers: readonly number[]): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  for (let index = 0; index + 1 < numbers.length; index += 2)
    found.push([numbers[index] ?? 0, numbers[index + 1] ?? 0]);
  return found;
}

/** The file as its reader sees it, holes and all. */
export function withHoles(data: Buffer, { size, map }: Sparse): Buffer {
  const inBody = map === null ? bodyMap(data) : { map, start: 0 };
  const file = Buffer.alloc(size);
  let from = inBody.start;
  let last = 0;
  for (const [offset, length] of inBody.map) {
    if (!(offset >= last && length >= 0 && offset + length <= size && from + length <= data.length))
      throw new ArchiveError("a damaged map of a sparse file");
    data.copy(file, offset, from, from + length);
    from += length;
    last = offset + length;
  }
  return file;
}

/** Version 1.0: a count and the pairs, a decimal number a line, filled up to a whole block. */
function bodyMap(data: Buffer): { readonly map: Sparse["map"] & object; readonly start: number } {
  let at = 0;
  const next = (): number => {
    const end = data.indexOf(0x0a, at);
    const text = end === -1 || end - at > 20 ? "" : data.toString("latin1", at, end);
    at = end + 1;
    if (!/^\d+$/.test(text)) throw new ArchiveError("a damaged map of a sparse file");
    return Number(text);
  };
  const count = next();
  if (count > data.length) throw new ArchiveError("a damaged map of a sparse file");
  const map = Array.from({ length: count }, () => [next(), next()] as const);
  return { map, start: Math.ceil(at / BLOCK) * BLOCK };
}
