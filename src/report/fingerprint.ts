/** A name for a finding that stays the same while lines move: for code scanning and baselines. */
import { createHash } from "node:crypto";
import { positionAt } from "../source/source.ts";
import type { ReportedFinding, TargetReport } from "./report.ts";

/**
 * By rule, file and the words of the line, whatever blanks are around them, and by who may do what: a line that was
 * accepted for one user is another finding when it is everybody's; who is excepted does not count. Equal ones of a
 * target are numbered; what two targets include is the same finding in both, whichever others are looked at. 32
 * hexadecimal digits.
 */
export function fingerprinted(
  targets: readonly Pick<TargetReport, "findings">[],
): (readonly [ReportedFinding, string])[] {
  return targets.flatMap(({ findings }) => numbered(findings));
}

function numbered(all: readonly ReportedFinding[]): (readonly [ReportedFinding, string])[] {
  const seen = new Map<string, number>();
  return all.map((reported) => {
    const key = keyOf(reported);
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    const hash = createHash("sha256").update(`${key}\n${count}`).digest("hex");
    return [reported, hash.slice(0, 32)] as const;
  });
}

function keyOf({ finding: { rule, place, affected } }: ReportedFinding): string {
  const { source, start, end } = place;
  const { line } = positionAt(source, start);
  const text = source.text.slice(
    source.lineStarts[line - 1] ?? 0,
    source.lineStarts[line] ?? source.text.length,
  );
  const words = text.replaceAll(/[ \t\r\n]+/g, " ").replaceAll(/^ | $/g, "");
  const openings = distinct(affected.map(({ who, grant }) => `${who}\n${grant}`));
  return [rule, source.path, start === end ? "" : words, ...openings].join("\n");
}

/**
 * Whom a finding leaves out: with fewer of them more is open. Null: they are too many to be named, so that nobody can say
 * whether they are fewer.
 */
export function exceptionsOf({ finding: { affected } }: ReportedFinding): readonly string[] | null {
  const texts: string[] = [];
  for (const { who, except } of affected) {
    if (except === null) return null;
    for (const exception of except) texts.push(`${who || "everybody"}, except ${exception}`);
  }
  return distinct(texts);
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}
