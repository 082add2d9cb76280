/** A fix as a line for a Dockerfile, because an image itself is never changed. */
import { type ChangedFile, changedLines } from "../diff/diff.ts";
import { shellWord } from "./text.ts";

export interface ImageFile extends ChangedFile {
  /** inside the image, latin1 */
  readonly path: string;
}

/**
 * RUN with one sed (GNU's) a file, for the very bytes of this image; null where a line cannot stand in a
 * Dockerfile.
 */
export function dockerfileLine(files: readonly ImageFile[]): string | null {
  const commands = files.map((file) => {
    const edits = changedLines(file).flatMap(({ line, before, after }) => {
      const at = line > lineCount(file.before) ? "$" : String(line);
      const put = after === null ? [] : [`${at}${at === "$" ? "a" : "i"}\\${after.replaceAll("\\", "\\\\")}`];
      return before === null ? put : [...put, `${line}d`];
    });
    return ["sed -i", ...edits.map((edit) => `-e ${shellWord(edit)}`), shellWord(file.path)].join(" ");
  });
  const whole = `RUN ${commands.join(" && ")}`;
  return /^[ -~]+$/.test(whole) ? whole : null;
}

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}
