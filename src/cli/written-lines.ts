/** The lines of a file that is compared with others, with their keywords as the scanner reads them. */
import { lowerAscii } from "../../grammar/ascii.ts";
import { keywordWord } from "../../grammar/scanner.ts";

export interface WrittenLine {
  /** offset of the line in its text */
  readonly start: number;
  readonly line: string;
  /** in lower case, without quotes; of a line that is no directive it is no keyword */
  readonly keyword: string;
  /** what is written behind it */
  readonly rest: string;
}

/** Without those that start with `#`, and without empty ones. A text with a NUL has other lines. */
export function writtenLines(text: string): readonly WrittenLine[] {
  const lines: WrittenLine[] = [];
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    // most lines are comments
    if (end > start && text.charCodeAt(start) !== HASH) {
      const written = writtenLine(start, text.slice(start, end));
      if (written !== null) lines.push(written);
    }
    start = end + 1;
  }
  return lines;
}

const HASH = 35;
const BLANKS = /^[ \t\r]*/;

function writtenLine(start: number, line: string): WrittenLine | null {
  const blanks = BLANKS.exec(line)?.[0].length ?? 0;
  const found = keywordWord(line, blanks, line.length);
  if (found === null) return null;
  const { value, end } = found.word;
  return { start, line, keyword: lowerAscii(value), rest: line.slice(end) };
}
