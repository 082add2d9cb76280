/** The report of one file as that of another one, which differs from it in its name and in the words of comments. */
import type { Answer } from "../policy/answer.ts";
import { type Place, placeOf, positionAt, type Source } from "../source/source.ts";
import type { ReportedFinding, TargetReport } from "./report.ts";

/** How the report of another file is named. */
export interface Names {
  readonly path: string;
  readonly checkCommand: string;
}

/**
 * `from` and `to` have the same lines up to words of comments, in which nothing lies. What a finding's fix would change
 * is moved as its edits; its changes stay those of `from`.
 */
export function movedReport(report: TargetReport, from: Source, to: Source, names: Names): TargetReport {
  const place = (at: Place): Place => movedPlace(at, from, to);
  return {
    ...report,
    ...names,
    findings: report.findings.map((reported) => movedFinding(reported, from, to)),
    // most reporters show none of them
    get answers() {
      return report.answers.map((answer) => movedAnswer(answer, place));
    },
  };
}

function movedFinding(reported: ReportedFinding, from: Source, to: Source): ReportedFinding {
  const { finding, edits } = reported;
  return {
    ...reported,
    finding: {
      ...finding,
      place: movedPlace(finding.place, from, to),
      related: finding.related.map((one) => ({ ...one, place: movedPlace(one.place, from, to) })),
    },
    edits:
      edits?.map((edit) =>
        edit.path === from.path ? { ...edit, path: to.path, ...movedSpan(edit, from, to) } : edit,
      ) ?? null,
  };
}

function movedAnswer(answer: Answer, moved: (place: Place) => Place): Answer {
  if (answer.decidedBy.every(({ directive }) => directive === null)) return answer;
  return {
    ...answer,
    decidedBy: answer.decidedBy.map((decider) => {
      const { directive } = decider;
      if (directive === null) return decider;
      const { place, valuePlace } = directive;
      return {
        ...decider,
        directive: { ...directive, place: moved(place), valuePlace: moved(valuePlace) },
      };
    }),
  };
}

function movedPlace(place: Place, from: Source, to: Source): Place {
  return place.source === from ? placeOf(to, movedSpan(place, from, to)) : place;
}

type Offsets = Omit<Place, "source">;

function movedSpan(span: Offsets, from: Source, to: Source): Offsets {
  return { start: movedOffset(span.start, from, to), end: movedOffset(span.end, from, to) };
}

/** The start of a line stays one; everything else stays as far from the end of its line. */
function movedOffset(offset: number, from: Source, to: Source): number {
  const { line, column } = positionAt(from, offset);
  if (column === 1) return to.lineStarts[line - 1] ?? to.text.length;
  return endOf(to, line) - (endOf(from, line) - offset);
}

function endOf({ lineStarts, text }: Source, line: number): number {
  return lineStarts[line] ?? text.length;
}

/** Whether a text of the report may hold the file's name or folder: then it is this file's alone. */
export function namesFile(
  { findings, answers, limits, otherReadings }: TargetReport,
  { source: { path }, realPath }: { readonly source: Source; readonly realPath: string },
): boolean {
  const base = path.slice(path.lastIndexOf("/") + 1);
  // of a main file that is called as all are the name alone tells nothing
  const names = base === "sshd_config" ? [path, realPath.slice(0, realPath.lastIndexOf("/") + 1)] : [base];
  const texts = JSON.stringify([findings, answers, limits, otherReadings], (key, value: unknown) =>
    BESIDE_TEXTS.has(key) ? undefined : value,
  );
  return names.some((name) => texts.includes(name));
}

/** Places and paths of edits, which are moved; and the parts of a change that nobody is shown. */
const BESIDE_TEXTS: ReadonlySet<string> = new Set(["source", "edits", "line", "guards", "outer"]);
