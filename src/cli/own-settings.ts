/**
 * Lines by which the files of a fleet differ although they are set up alike: where the server listens, its keys, its
 * banner. Neither who can log in or forward nor a rule depends on which address or path it is; what a rule says of such
 * a line names the line or the value, and is that file's alone (`namesSetting`).
 */
import type { TargetReport } from "../report/report.ts";
import type { Place, Source } from "../source/source.ts";
import { type WrittenLine, writtenLines } from "./written-lines.ts";

/** Offsets of the line without its newline, and of the value at its end. */
export interface OwnSetting {
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

const BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const PATH = /^[ \t](\/[A-Za-z0-9_./-]{3,200})$/;
/** sshd takes every one of these values, and treats all of a keyword alike (servconf.c). */
const VALUES: ReadonlyMap<string, RegExp> = new Map([
  ["listenaddress", new RegExp(`^[ \\t]((?!0)${BYTE}(?:\\.${BYTE}){3})$`)],
  ["banner", PATH],
  ["hostkey", PATH],
  ["hostcertificate", PATH],
]);

/** Ours: more of them are no server's, and each is looked for in the text and in the report. */
const MOST_LINES = 50;

export function ownSettings(lines: readonly WrittenLine[]): readonly OwnSetting[] {
  const settings: OwnSetting[] = [];
  for (const { start, line, keyword, rest } of lines) {
    const value = VALUES.get(keyword)?.exec(rest)?.[1];
    if (value !== undefined) settings.push({ start, end: start + line.length, value });
  }
  return settings.length > MOST_LINES ? [] : settings;
}

/** No character of a file, which is read as latin1. */
const MARK = "\u2026";

export function withoutSettings(text: string, settings: readonly OwnSetting[]): string {
  let from = 0;
  const kept: string[] = [];
  for (const { end, value } of settings) {
    kept.push(text.slice(from, end - value.length), MARK);
    from = end;
  }
  return kept.length === 0 ? text : kept.join("") + text.slice(from);
}

/** Whether a report is about one of these lines of its main file: points at it, changes it or holds its value. */
export function namesSetting(report: TargetReport, main: Source): boolean {
  const settings = ownSettings(writtenLines(main.text));
  if (settings.length === 0) return false;
  const { findings, limits, otherReadings } = report;
  const places = findings.flatMap(({ finding, edits }) => [
    ...[finding.place, ...finding.related.map(({ place }) => place)].filter(({ source }) => source === main),
    ...(edits ?? []).filter(({ path }) => path === main.path),
  ]);
  if (places.some((place) => settings.some((setting) => touches(place, setting)))) return true;
  const texts = JSON.stringify([findings, limits, otherReadings], (key, value: unknown) =>
    BESIDE_TEXTS.has(key) ? undefined : value,
  );
  return settings.some(({ value }) => texts.includes(value));
}

/** What is put in front of a line or behind it does not touch it. */
function touches({ start, end }: Omit<Place, "source">, line: OwnSetting): boolean {
  return start === end ? start > line.start && start < line.end : start < line.end && end > line.start;
}

/** Whole files and lines of them, of which a report shows places alone. */
const BESIDE_TEXTS: ReadonlySet<string> = new Set(["source", "line", "guards", "outer"]);
