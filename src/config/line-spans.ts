/** Which part of a line is meant: keyword and arguments, or the arguments alone. */
import type { DirectiveLine, Span } from "../../grammar/tree.ts";

export function contentSpan(line: DirectiveLine): Span {
  return { start: line.keyword.span.start, end: Math.max(line.keyword.span.end, valueSpan(line).end) };
}

export function valueSpan(line: DirectiveLine): Span {
  const first = line.args[0];
  const last = line.args.findLast((word) => word.span.end > word.span.start) ?? first;
  if (first === undefined || last === undefined) return line.rest.span;
  return { start: first.span.start, end: last.span.end };
}
