/** The lines of a file that is compared with others, with their keywords as the scanner reads them. */
import { lowerAscii } from "../../grammar/ascii.ts";
import { keywordWord } from "../../grammar/scanner.ts";
import { endOfLine } from "../source/source.ts";

export interface WrittenLine {
  /** offset of the line in its text */
  readonly start: number;
  readonly line: string;
  /** in lower case, without quotes; of a line that is no directive it is no keyword */
  readonly keyword: string;
  /** what is written behind it */
  readonly rest: string;
}

/** Without those that start with `#`, are empty or lose their keyword to a quote. A text with a NUL has other lines. */
export function writtenLines(text: string): readonly WrittenLine[] {
  const lines: WrittenLine[] = [];
  for (let start = nextWritten(text, 0); start < text.length; ) {
    const end = endOfLine(text, start);
    const written = writtenLine(start, text.slice(start, end));
    if (written !== null) lines.push(written);
    start = nextWritten(text, end + 1);
  }
  return lines;
}

/** Most lines are comments. */
export function withoutComments(text: string): string {
  let kept = "";
  for (let start = nextWritten(text, 0); start < text.length; ) {
    const end = endOfLine(text, start);
    kept += text.slice(start, end + 1);
    start = nextWritten(text, end + 1);
  }
  return kept;
}

/** Where the next line begins that is neither empty nor starts with `#`. */
function nextWritten(text: string, from: number): number {
  let start = from;
  for (; start < text.length; start = endOfLine(text, start) + 1) {
    const code = text.charCodeAt(start);
    if (code !== HASH && code !== NEWLINE) break;
  }
  return start;
}

const HASH = 35;
const NEWLINE = 10;
const BLANKS = /^[ \t\r]*/;

function writtenLine(start: number, line: string): WrittenLine | null {
  const blanks = BLANKS.exec(line)?.[0].length ?? 0;
  const found = keywordWord(line, blanks, line.length);
  if (found === null) return null;
  const { value, end } = found.word;
  return { start, line, keyword: lowerAscii(value), rest: line.slice(end) };
}
