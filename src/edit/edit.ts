/** A change of text as data, against the original: sorted, disjoint, in bytes. */
export interface Edit {
  /** absolute path inside the tree */
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** In order of position; of two edits at the same place the first stays first. */
export function sortEdits<T extends Omit<Edit, "path">>(edits: readonly T[]): T[] {
  return [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
}

/**
 * The text with all edits of one file made.
 * @throws RangeError where edits overlap or lie outside the text: a defect of the caller, never of the input
 */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = "";
  let at = 0;
  for (const edit of sortEdits(edits)) {
    if (edit.start < at || edit.end < edit.start || edit.end > text.length) {
      throw new RangeError(`edit ${edit.start}..${edit.end} overlaps another or lies outside ${edit.path}`);
    }
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}

/** What a text with edits consists of: bytes of the original, or new text. */
type Piece = { readonly start: number; readonly end: number } | { readonly text: string };

/** As edits of the original: `first`, and then `second`, which are about the text that `first` made of it. */
export function composeEdits(first: readonly Edit[], second: readonly Edit[]): Edit[] {
  const [path] = [...first, ...second].map((edit) => edit.path);
  if (path === undefined) return [];
  const rest = piecesOf(first);
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, end, text } of sortEdits(second)) {
    for (const kept of take(rest, start - at)) pieces.push(kept);
    pieces.push({ text });
    take(rest, end - start);
    at = end;
  }
  return editsOf(path, [...pieces, ...rest.toReversed()]);
}

/** The last piece first; where the original ends is not known here. */
function piecesOf(edits: readonly Edit[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, end, text } of sortEdits(edits)) {
    pieces.push({ start: at, end: start }, { text });
    at = end;
  }
  return [...pieces, { start: at, end: Number.POSITIVE_INFINITY }].reverse();
}

/** Takes that many bytes away from the pieces and gives them. */
function take(pieces: Piece[], length: number): Piece[] {
  const taken: Piece[] = [];
  for (let left = length; left > 0; ) {
    const piece = pieces.pop();
    if (piece === undefined) break;
    const size = "text" in piece ? piece.text.length : piece.end - piece.start;
    const [head, tail] = split(piece, Math.min(size, left));
    taken.push(head);
    if (size > left) pieces.push(tail);
    left -= Math.min(size, left);
  }
  return taken;
}

function split(piece: Piece, at: number): [Piece, Piece] {
  if ("text" in piece) return [{ text: piece.text.slice(0, at) }, { text: piece.text.slice(at) }];
  const { start, end } = piece;
  return [
    { start, end: start + at },
    { start: start + at, end },
  ];
}

function editsOf(path: string, pieces: readonly Piece[]): Edit[] {
  const edits: Edit[] = [];
  let at = 0;
  let text = "";
  for (const piece of pieces) {
    if ("text" in piece) text += piece.text;
    else if (piece.start < piece.end) {
      if (text !== "" || piece.start > at) edits.push({ path, start: at, end: piece.start, text });
      at = piece.end;
      text = "";
    }
  }
  return edits;
}
