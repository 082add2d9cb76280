/** What a theory answers, and how answers are joined: "unknown" is lost nowhere, because nowhere else is it handled. */

export type Found<Value> =
  | { readonly kind: "found"; readonly value: Value }
  | typeof NONE
  /** the effort limit was met: neither found nor excluded */
  | typeof UNKNOWN;

export const NONE = { kind: "none" } as const;
export const UNKNOWN = { kind: "unknown" } as const;

export function found<Value>(value: Value): Found<Value> {
  return { kind: "found", value };
}

export function mapFound<Value, Made>(answer: Found<Value>, make: (value: Value) => Made): Found<Made> {
  return answer.kind === "found" ? found(make(answer.value)) : answer;
}

/** The first of several ways that leads somewhere; "none" only where none of them does. */
export function firstFound<Value>(...ways: readonly (() => Found<Value>)[]): Found<Value> {
  let answer: Found<Value> = NONE;
  for (const way of ways) {
    const next = way();
    if (next.kind === "found") return next;
    if (next.kind === "unknown") answer = next;
  }
  return answer;
}

/** What is needed together; "none" where one of them is not there, whatever is unknown of the other. */
export function bothFound<One, Other>(
  one: () => Found<One>,
  other: () => Found<Other>,
): Found<readonly [One, Other]> {
  const first = one();
  if (first.kind === "none") return first;
  const second = other();
  return second.kind === "found" ? mapFound(first, (value) => [value, second.value] as const) : second;
}

export function eachFound<Value>(parts: readonly (() => Found<Value>)[]): Found<readonly Value[]> {
  const join = (joined: Found<readonly Value[]>, part: () => Found<Value>): Found<readonly Value[]> =>
    mapFound(
      bothFound(() => joined, part),
      ([values, value]) => [...values, value],
    );
  return parts.reduce(join, found([]));
}

/** An answer to a question that leaves something out: what was not found may be there. */
export function unlessMissed<Value>(answer: Found<Value>): Found<Value> {
  return answer.kind === "none" ? UNKNOWN : answer;
}
