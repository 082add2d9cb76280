/**
 * The changes without those that the others make needless: with TCP forwarding closed, neither its GatewayPorts nor its
 * sockets need an edit there. Told from what is open alone, so thousands of blocks cost one look at each.
 */
import { type Change, keywordOf } from "../config/change.ts";
import type { Config } from "../config/config.ts";
import { closesAnswer } from "../lint/closing.ts";
import { groupBy } from "../lint/openings.ts";
import type { Answer } from "../policy/answer.ts";
import { changedBy, type Line, lineOf } from "./changed-line.ts";

interface ChangedLine {
  readonly keyword: string;
  readonly change: Change;
  /** open answers in which it decides and that the change closes or narrows */
  readonly uses: Use[];
}

interface Use {
  readonly answer: { closers: number };
  readonly closes: boolean;
}

/**
 * What all of the changes close, those that are left close. A keyword whose every change is needless goes first, then
 * single lines.
 */
export function neededChanges(
  config: Config,
  changes: readonly Change[],
  answers: readonly Answer[],
): readonly Change[] {
  if (new Set(changes.map(keywordOf)).size < 2) return changes;
  const lines = changedLines(config, changes, answers);
  const needless = new Set<ChangedLine>();
  const leaveOut = (line: ChangedLine): void => {
    needless.add(line);
    for (const { answer, closes } of line.uses) answer.closers -= Number(closes);
  };
  const groups = [...groupBy([...lines.values()], ({ keyword }) => keyword).values()];
  for (const own of groups) if (own.every(isNeedless)) own.forEach(leaveOut);
  for (const own of groups) own.filter((line) => !needless.has(line) && isNeedless(line)).forEach(leaveOut);
  return changes.filter((change) => {
    const line = lines.get(changedBy(change));
    return line === undefined || !needless.has(line);
  });
}

/** Others close all that it closes or narrows; lines of one keyword never decide the same answer. */
function isNeedless({ uses }: ChangedLine): boolean {
  return uses.length > 0 && uses.every(({ answer, closes }) => answer.closers > Number(closes));
}

/** Of two changes of one line the first counts, as for the planner. */
function changedLines(
  config: Config,
  changes: readonly Change[],
  answers: readonly Answer[],
): ReadonlyMap<Line, ChangedLine> {
  const lines = new Map<Line, ChangedLine>();
  for (const change of changes) {
    const line = changedBy(change);
    if (!lines.has(line)) lines.set(line, { keyword: keywordOf(change), change, uses: [] });
  }
  for (const answer of answers) {
    const closed = { closers: 0 };
    for (const { keyword, directive } of answer.decidedBy) {
      const line = lines.get(lineOf(keyword, directive));
      if (line === undefined) continue;
      const closes = closesAnswer(config, line.change, answer);
      if (closes || NARROWING.has(keyword)) line.uses.push({ answer: closed, closes });
      closed.closers += Number(closes);
    }
  }
  return lines;
}

/** A change of their value can take a part of what is open. */
const NARROWING: ReadonlySet<string> = new Set(["gatewayports", "permitopen", "permitlisten"]);
