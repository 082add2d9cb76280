/**
 * Unified diffs that `git apply` and `patch -p1` take, for any bytes. Their hunks are made from the edits, which are known: to
 * search two texts for what differs took most of the time of a fix of thousands of lines.
 */
import { formatPatch, OMIT_HEADERS, type StructuredPatchHunk } from "diff";
import { type Edit, sortEdits } from "../edit/edit.ts";

export interface ChangedFile {
  /** relative, as it stands behind `a/` and `b/` */
  readonly name: string;
  /** latin1 text as it was */
  readonly before: string;
  /** against it */
  readonly edits: readonly Pick<Edit, "start" | "end" | "text">[];
}

/** Lines in whose place others stand; one of the lists may be empty. Each has its line end, which the last of a file may lack. */
interface Change {
  /** of the first, from 0 */
  readonly at: number;
  readonly old: readonly string[];
  readonly now: readonly string[];
}

/** Latin1 text of the diff; write it as latin1 and the bytes are those of the files. Empty where nothing changed. */
export function unifiedDiff(files: readonly ChangedFile[]): string {
  return files.map(fileDiff).join("");
}

function fileDiff({ name, before, edits }: ChangedFile): string {
  const lines = splitLines(before);
  let shift = 0;
  const hunks = groupNear(changesOf(before, edits)).map((changes) => {
    const hunk = hunkOf(lines, changes, shift);
    shift += hunk.newLines - hunk.oldLines;
    return hunk;
  });
  if (hunks.length === 0) return "";
  // names are ours to write: the library takes their bytes for text
  const names = {
    oldFileName: undefined,
    newFileName: undefined,
    oldHeader: undefined,
    newHeader: undefined,
  };
  const body = formatPatch({ ...names, hunks }, OMIT_HEADERS);
  return `--- ${quoteName(`a/${name}`)}\n+++ ${quoteName(`b/${name}`)}\n${body}`;
}

/** With their line ends. */
function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** What is different in whole lines, in order; what stands side by side is one change. */
function changesOf(before: string, edits: ChangedFile["edits"]): Change[] {
  const changes: { at: number; old: string[]; now: string[] }[] = [];
  let seen = 0;
  let line = 0;
  for (const { start, end, text } of wholeLines(before, edits)) {
    for (let at = before.indexOf("\n", seen); at !== -1 && at < start; at = before.indexOf("\n", at + 1))
      line++;
    seen = Math.max(seen, start);
    const { at, old, now } = trimmed({
      at: line,
      old: splitLines(before.slice(start, end)),
      now: splitLines(text),
    });
    if (old.length + now.length === 0) continue;
    const last = changes.at(-1);
    if (last === undefined || last.at + last.old.length < at) changes.push({ at, old, now });
    else {
      for (const gone of old) last.old.push(gone);
      for (const come of now) last.now.push(come);
    }
  }
  return changes;
}

/** The edits as texts in the place of whole lines. */
function wholeLines(before: string, edits: ChangedFile["edits"]): Omit<Edit, "path">[] {
  const whole: { start: number; end: number; text: string }[] = [];
  for (const { start, end, text } of sortEdits(edits)) {
    const last = whole.at(-1);
    // another edit of the same line, which at the end of a file may lack its end
    const isSame = last !== undefined && (start < last.end || (start === last.end && isOpen(before, last)));
    const from = isSame ? last.start : start === 0 ? 0 : before.lastIndexOf("\n", start - 1) + 1;
    const head = isSame
      ? last.text.slice(0, last.text.length - (last.end - start))
      : before.slice(from, start);
    const added = head + text;
    const isWhole = added === "" || added.endsWith("\n");
    const lineEnd = before.indexOf("\n", end);
    const to = isWhole && isLineStart(before, end) ? end : lineEnd === -1 ? before.length : lineEnd + 1;
    if (isSame) whole.pop();
    whole.push({ start: from, end: to, text: added + before.slice(end, to) });
  }
  return whole;
}

/** Whether what comes next still belongs to the last of these lines. */
function isOpen(before: string, { end, text }: Omit<Edit, "path">): boolean {
  return !isLineStart(before, end) || (text !== "" && !text.endsWith("\n"));
}

function isLineStart(text: string, at: number): boolean {
  return at === 0 || text[at - 1] === "\n";
}

/** Without the lines at both ends that stay. */
function trimmed({ at, old, now }: Change): { at: number; old: string[]; now: string[] } {
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < most - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  return {
    at: at + head,
    old: old.slice(head, old.length - tail),
    now: now.slice(head, now.length - tail),
  };
}

/** Unchanged lines around a change. */
const CONTEXT = 3;

/** As diff(1) does: changes whose contexts meet stand in one hunk. */
function groupNear(changes: readonly Change[]): Change[][] {
  const groups: Change[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const change of changes) {
    if (change.at - end <= 2 * CONTEXT) groups.at(-1)?.push(change);
    else groups.push([change]);
    end = change.at + change.old.length;
  }
  return groups;
}

/** `shift`: by how many lines the file has grown before it. */
function hunkOf(lines: readonly string[], changes: readonly Change[], shift: number): StructuredPatchHunk {
  const first = Math.max(0, (changes[0]?.at ?? 0) - CONTEXT);
  const shown: string[] = [];
  const show = (mark: string, some: readonly string[]): void => {
    for (const line of some) shown.push(...marked(mark, line));
  };
  let at = first;
  let grown = 0;
  for (const { at: start, old, now } of changes) {
    show(" ", lines.slice(at, start));
    show("-", old);
    show("+", now);
    at = start + old.length;
    grown += now.length - old.length;
  }
  const last = Math.min(lines.length, at + CONTEXT);
  show(" ", lines.slice(at, last));
  const oldLines = last - first;
  return {
    oldStart: first + 1,
    oldLines,
    newStart: first + shift + 1,
    newLines: oldLines + grown,
    lines: shown,
  };
}

function marked(mark: string, line: string): string[] {
  return line.endsWith("\n")
    ? [`${mark}${line.slice(0, -1)}`]
    : [`${mark}${line}`, "\\ No newline at end of file"];
}

/** A line that differs, for people: null where it is new or gone. */
export interface ChangedLine {
  /** from 1, in the text as it was */
  readonly line: number;
  readonly before: string | null;
  readonly after: string | null;
}

/** The lines that differ, in order; in a group of changed lines the old and the new ones are paired as they stand. */
export function changedLines({ before, edits }: ChangedFile): ChangedLine[] {
  return changesOf(before, edits).flatMap(({ at, old, now }) =>
    Array.from({ length: Math.max(old.length, now.length) }, (_, index) => ({
      // what has no old line to pair with stands before the line that follows
      line: at + 1 + Math.min(index, old.length),
      before: old[index]?.replace(/\n$/, "") ?? null,
      after: now[index]?.replace(/\n$/, "") ?? null,
    })),
  );
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
