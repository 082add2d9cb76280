/** Lines of a file with carets under a part of one. */
import { type Place, positionAt, type Source } from "../source/source.ts";
import { visibleLine } from "./text.ts";

export interface ExcerptLine {
  /** right-aligned by the caller; null for the line of carets and for a gap */
  readonly number: number | null;
  readonly text: string;
  readonly role: "context" | "primary" | "carets" | "gap";
}

/** Longer lines are cut around the place. */
const WIDTH = 100;

/**
 * The line of `place`, with carets, below the lines of `context` (those of the same file, in front of it) or the one
 * line before it. Empty for a place of no width at the top of a file: nothing stands there.
 */
export function excerpt(place: Place, context: readonly Place[], label: string): ExcerptLine[] {
  const { source, start, end } = place;
  if (start === end) return [];
  const primary = positionAt(source, start).line;
  const before = [
    ...new Set(
      context
        .filter((other) => other.source === source)
        .map((other) => positionAt(source, other.start).line)
        .filter((line) => line < primary),
    ),
  ].sort((a, b) => a - b);
  const shown = before.length > 0 ? before : neighbour(source, primary);
  const lines: ExcerptLine[] = [];
  for (const number of [...shown, primary]) {
    const previous = lines.at(-1)?.number;
    if (previous !== undefined && previous !== null && number > previous + 1)
      lines.push({ number: null, text: "...", role: "gap" });
    const role = number === primary ? "primary" : "context";
    const cut = number === primary ? cutAround(source, place) : cutLine(lineOf(source, number), 0);
    lines.push({ number, text: visibleLine(cut), role });
  }
  lines.push({ number: null, text: caretsFor(source, place, label), role: "carets" });
  return lines;
}

function neighbour(source: Source, line: number): number[] {
  return line > 1 && /[^ \t\r]/.test(lineOf(source, line - 1)) ? [line - 1] : [];
}

function lineOf(source: Source, number: number): string {
  const start = source.lineStarts[number - 1] ?? 0;
  const end = source.lineStarts[number] ?? source.text.length + 1;
  return source.text.slice(start, end - 1).replace(/\r$/, "");
}

function cutLine(text: string, from: number): string {
  return text.slice(from, from + WIDTH);
}

/** Where the shown part of a line begins: 0, or a little before a place far to the right. */
function cutStart(column: number, length: number): number {
  return length > WIDTH && column > WIDTH / 2 ? column - 20 : 0;
}

function cutAround(source: Source, { start }: Place): string {
  const { line, column } = positionAt(source, start);
  const text = lineOf(source, line);
  return cutLine(text, cutStart(column, text.length));
}

function caretsFor(source: Source, place: Place, label: string): string {
  const { line, column } = positionAt(source, place.start);
  const text = lineOf(source, line);
  const from = cutStart(column, text.length);
  const shown = cutLine(text, from);
  const start = column - 1 - from;
  const under = visibleLine(shown.slice(start, start + (place.end - place.start)));
  const indent = " ".repeat(visibleLine(shown.slice(0, start)).length);
  const carets = "^".repeat(Math.max(1, under.length));
  return `${indent}${carets}${label === "" ? "" : ` ${label}`}`;
}
