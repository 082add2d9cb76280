/** Which part of a line is meant: keyword and arguments, or the arguments alone. */
import type { DirectiveLine, Span } from "../../grammar/tree.ts";

export function contentSpan(line: DirectiveLine): Span {
  return { start: line.keyword.start, end: Math.max(line.keyword.end, valueSpan(line).end) };
}

export function valueSpan(line: DirectiveLine): Span {
  const first = line.args[0];
  const last = line.args.findLast((word) => word.end > word.start) ?? first;
  if (first === undefined || last === undefined) return line.rest;
  return { start: first.start, end: last.end };
}
