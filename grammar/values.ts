import type { Keyword } from "./keywords.ts";
import type { ValueProblem } from "./problem.ts";
import type { Release } from "./release.ts";
import type { DirectiveLine } from "./tree.ts";
export function readValue(
  _k: Keyword,
  line: DirectiveLine,
  _r: Release,
): { values: string[] | null; problems: ValueProblem[] } {
  return { values: line.args.map((w) => w.value.toLowerCase()).filter((v) => v !== ""), problems: [] };
}
