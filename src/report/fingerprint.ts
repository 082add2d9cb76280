/** A name for a finding that stays the same while lines move: for code scanning and baselines. */
import { createHash } from "node:crypto";
import { positionAt } from "../source/source.ts";
import type { ReportedFinding } from "./report.ts";

/** By rule, file and the words of the line, whatever blanks are around them; equal ones are numbered. 32 hexadecimal digits. */
export function fingerprinted(all: readonly ReportedFinding[]): (readonly [ReportedFinding, string])[] {
  const seen = new Map<string, number>();
  return all.map((reported) => {
    const key = keyOf(reported);
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    const hash = createHash("sha256").update(`${key}\n${count}`).digest("hex");
    return [reported, hash.slice(0, 32)] as const;
  });
}

function keyOf({ finding: { rule, place } }: ReportedFinding): string {
  const { source, start, end } = place;
  const { line } = positionAt(source, start);
  const text = source.text.slice(
    source.lineStarts[line - 1] ?? 0,
    source.lineStarts[line] ?? source.text.length,
  );
  const words = text.replaceAll(/[ \t\r\n]+/g, " ").replaceAll(/^ | $/g, "");
  return [rule, source.path, start === end ? "" : words].join("\n");
}
