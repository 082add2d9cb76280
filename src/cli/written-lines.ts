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
  for (const { index, 0: line, 1: blanks = "" } of text.matchAll(WRITTEN_LINE)) {
    const found = keywordWord(line, blanks.length, line.length);
    if (found === null) continue;
    const { value, end } = found.word;
    lines.push({ start: index, line, keyword: lowerAscii(value), rest: line.slice(end) });
  }
  return lines;
}

/** Only \n ends a line: `^` and `.` would stop at a CR, too. */
const WRITTEN_LINE = /(?<![^\n])([ \t\r]*)[^# \t\r\n][^\n]*/g;
