/** Which part of a line is meant: keyword and arguments, or the arguments alone. */
import type { DirectiveLine, Span } from "../../grammar/tree.ts";

export function contentSpan({ keyword }: DirectiveLine, value: Span): Span {
  return { start: keyword.start, end: Math.max(keyword.end, value.end) };
}

export function valueSpan(line: DirectiveLine): Span {
  const first = line.args[0];
  const last = line.args.findLast((word) => word.end > word.start) ?? first;
  if (first === undefined || last === undefined) return line.rest;
  return { start: first.start, end: last.end };
}
