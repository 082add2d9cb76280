/** Unified diffs that `git apply` and `patch -p1` take, for any bytes. */
import { structuredPatch } from "diff";

export interface ChangedFile {
  /** relative, as it stands behind `a/` and `b/` */
  readonly name: string;
  /** latin1 text before and after */
  readonly before: string;
  readonly after: string;
}

/** Latin1 text of the diff; write it as latin1 and the bytes are those of the files. Empty where nothing changed. */
export function unifiedDiff(files: readonly ChangedFile[]): string {
  return files
    .filter(({ before, after }) => before !== after)
    .map(fileDiff)
    .join("");
}

function fileDiff({ name, before, after }: ChangedFile): string {
  const patch = structuredPatch(name, name, before, after, "", "", { context: 3 });
  const hunks = patch.hunks.map((hunk) => {
    const from = range(hunk.oldStart, hunk.oldLines);
    const to = range(hunk.newStart, hunk.newLines);
    return `@@ -${from} +${to} @@\n${hunk.lines.map((line) => `${line}\n`).join("")}`;
  });
  return `--- ${quoteName(`a/${name}`)}\n+++ ${quoteName(`b/${name}`)}\n${hunks.join("")}`;
}

/** Without lines it is the line before, as diff(1) has it: 0 for a file that is empty. */
function range(start: number, lines: number): string {
  if (lines === 0) return `${start - 1},0`;
  return lines === 1 ? String(start) : `${start},${lines}`;
}

/** A line that differs, for people: null where it is new or gone. */
export interface ChangedLine {
  /** from 1, in the text as it was */
  readonly line: number;
  readonly before: string | null;
  readonly after: string | null;
}

/** The lines that differ, in order; in a group of changed lines the old and the new ones are paired as they stand. */
export function changedLines({ name, before, after }: ChangedFile): ChangedLine[] {
  const patch = structuredPatch(name, name, before, after, "", "", { context: 0 });
  return patch.hunks.flatMap(({ oldStart, lines }) => {
    const old = lines.filter((line) => line.startsWith("-")).map((line) => line.slice(1));
    const now = lines.filter((line) => line.startsWith("+")).map((line) => line.slice(1));
    return Array.from({ length: Math.max(old.length, now.length) }, (_, index) => ({
      // a hunk that only inserts counts from the line before it
      line: oldStart + (old.length === 0 ? 1 : index),
      before: old[index] ?? null,
      after: now[index] ?? null,
    }));
  });
}

/** As git quotes a name with control characters, quotes or bytes above 127 (core.quotePath). */
function quoteName(name: string): string {
  if (/^[ !#-[\]-~]+$/.test(name)) return name.includes(" ") ? `${name}\t` : name;
  const quoted = [...name].map((char) => {
    const code = char.charCodeAt(0);
    if (char === '"' || char === "\\") return `\\${char}`;
    return code >= 32 && code < 127 ? char : `\\${code.toString(8).padStart(3, "0")}`;
  });
  return `"${quoted.join("")}"`;
}
