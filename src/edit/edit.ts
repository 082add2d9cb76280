/** A change of text as data, against the original: sorted, disjoint, in bytes. */
export interface Edit {
  /** absolute path inside the tree */
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** In order of position; of two edits at the same place the first stays first. */
function sortEdits(edits: readonly Edit[]): Edit[] {
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
