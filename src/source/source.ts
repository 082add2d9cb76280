/** One text with its name. Text is latin1: one character is one byte. */
export interface Source {
  /** as it is shown to people; never opened again by this name */
  readonly path: string;
  readonly text: string;
  /** byte offset of the first byte of each line, in order; the first is 0 */
  readonly lineStarts: readonly number[];
}

/** Half-open range of byte offsets into a source. */
export interface Place {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

export function placeOf(source: Source, { start, end }: Omit<Place, "source">): Place {
  return { source, start, end };
}

/** Line and column count bytes from 1, offset from 0. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export function makeSource(path: string, text: string): Source {
  const lineStarts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lineStarts.push(at + 1);
  return { path, text, lineStarts };
}

/** Bytes to latin1 text, one to one. */
export function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Latin1 text back to its bytes. */
export function encode(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

export function positionAt(source: Source, offset: number): Position {
  const { lineStarts } = source;
  const index = indexAt(lineStarts, (start) => start, offset);
  return { line: index + 1, column: offset - (lineStarts[index] ?? 0) + 1, offset };
}

/** Index of the last of the parts, which are in order, that starts at `offset` or before; 0 where none does. */
export function indexAt<Part>(
  parts: ArrayLike<Part>,
  startOf: (part: Part) => number,
  offset: number,
): number {
  let low = 0;
  let high = parts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const part = parts[middle];
    if (part !== undefined && startOf(part) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A file that is included again is read again, and what is said of a line is the same: once is enough. */
export function oncePerPlace<Said extends { readonly place: Place; readonly message: string }>(
  all: readonly Said[],
): readonly Said[] {
  if (all.length < 2) return all;
  const said = new Set<string>();
  return all.filter(({ message, place: { source, start } }) => {
    const before = said.size;
    return said.add(`${source.path}\0${start}\0${message}`).size > before;
  });
}

/** Where the next line feed stands, or the end of the text. */
export function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end;
}
