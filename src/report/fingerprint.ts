/** A name for a finding that stays the same while lines move: for code scanning and baselines. */
import { createHash } from "node:crypto";
import { positionAt } from "../source/source.ts";
import type { ReportedFinding } from "./report.ts";

/**
 * By rule, file and the words of the line, whatever blanks are around them, and for an opening by who may do what: a line
 * that was accepted for one user is another finding when it is everybody's; who is excepted does not count. Equal ones are numbered. 32 hexadecimal digits.
 */
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

function keyOf({ finding: { rule, place, capability, message, grant } }: ReportedFinding): string {
  const { source, start, end } = place;
  const { line } = positionAt(source, start);
  const text = source.text.slice(
    source.lineStarts[line - 1] ?? 0,
    source.lineStarts[line] ?? source.text.length,
  );
  const words = text.replaceAll(/[ \t\r\n]+/g, " ").replaceAll(/^ | $/g, "");
  const opened = capability === null ? [] : [openingOf(message).replace(EXCEPTIONS, ""), grant];
  return [rule, source.path, start === end ? "" : words, ...opened].join("\n");
}

/** Who a finding is not about, in its own words: with fewer of them more is open. */
export function exceptionsOf({ finding: { capability, message } }: ReportedFinding): readonly string[] {
  return capability === null ? [] : (EXCEPTIONS.exec(openingOf(message))?.[1]?.split("; ") ?? []);
}

const EXCEPTIONS = /, except (.*?),?(?= may )/;

/** Up to the colon a message says who may do what, and behind it why. */
function openingOf(message: string): string {
  return message.split(": ", 1)[0] ?? "";
}
