/** A fix as a line for a Dockerfile, because an image itself is never changed. */
import { type ChangedFile, changedLines } from "../diff/diff.ts";
import { shellWord, visibleText } from "./text.ts";

export interface ImageFile extends ChangedFile {
  /** inside the image, latin1 */
  readonly path: string;
}

/** RUN with one sed (GNU's) a file, for the very bytes of this image; null where a line cannot stand in a Dockerfile. */
export function dockerfileLine(files: readonly ImageFile[]): string | null {
  const whole = decoded(`RUN ${files.map(commandFor).join(" && ")}`);
  // `<<` begins a document of its own there
  return isPrintable(whole) && !whole.includes("<<") ? whole : null;
}

function decoded(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

function commandFor(file: ImageFile): string {
  const lines = changedLines(file);
  // sed does nothing without a line
  if (file.before === "") {
    const texts = lines.flatMap(({ after }) => (after === null ? [] : [shellWord(after)]));
    return `printf '%s\\n' ${texts.join(" ")} > ${shellWord(file.path)}`;
  }
  const last = lineCount(file.before);
  const deleted = lines.flatMap(({ line, before }) => (before === null ? [] : [line]));
  const placeOf = (line: number): string => {
    if (line <= last) return `${line}i`;
    return deleted.includes(last) ? `${last}i` : "$a";
  };
  // the text may go on in the next -e, where it is empty it stands there
  const put = lines.flatMap(({ line, after }) => {
    if (after === null) return [];
    const text = after.replaceAll("\\", "\\\\").replaceAll("\r", "\\r");
    return [`${placeOf(line)}\\${text}`, ...(text === "" ? [""] : [])];
  });
  // behind a `d` sed takes the next line at once
  const edits = [...put, ...deleted.map((line) => `${line}d`)];
  return ["sed -i", ...edits.map((edit) => `-e ${shellWord(edit)}`), shellWord(file.path)].join(" ");
}

/** What a terminal shows as it is: tabs, too, and UTF-8. */
function isPrintable(text: string): boolean {
  const plain = text.replaceAll("\t", " ");
  return !plain.includes("\ufffd") && visibleText(plain) === plain;
}

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}
