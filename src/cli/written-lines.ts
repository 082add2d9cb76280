/** The lines of a file that is compared with others, each as sshd reads it: by the scanner, once for all files. */
import type { Release } from "../../grammar/release.ts";
import { remember } from "../../grammar/remember.ts";
import { type DirectiveHead, readDirective } from "../../grammar/scanner.ts";

/** Offset of the line in its text. */
export interface WrittenLine {
  readonly start: number;
  readonly line: string;
}

/** Without those that start with `#`, and without empty ones. A text with a NUL has other lines. */
export function writtenLines(text: string): readonly WrittenLine[] {
  const lines: WrittenLine[] = [];
  for (const { index, 0: line } of text.matchAll(WRITTEN_LINE)) lines.push({ start: index, line });
  return lines;
}

/** Only \n ends a line: `^` and `.` would stop at a CR, too. */
const WRITTEN_LINE = /(?<![^\n])[^#\n][^\n]*/g;

/** With offsets in the line; null: it is no directive. */
export const directiveIn: (line: string, release: Release) => DirectiveHead | null = remember(readDirective);
