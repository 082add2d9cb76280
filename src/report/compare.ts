/** What a change of the policy means: lines for people, and JSON. */
import type { ChalkInstance } from "chalk";
import type { Decider } from "../policy/answer.ts";
import type { Comparison, PolicyChange } from "../policy/compare.ts";
import { CAPABILITIES } from "../policy/connection.ts";
import { formatSpecification } from "../policy/specification.ts";
import { deciderJson, deciderText } from "./exposure.ts";
import { connectionJson, jsonPieces, pathText, recordsOf } from "./json.ts";
import { type Judged, judgedText } from "./judged.ts";
import { shellWord, visible } from "./text.ts";

/** By what each side was judged. */
export interface Sides {
  readonly before: ComparedSide;
  readonly after: ComparedSide;
}

export interface ComparedSide extends Judged {
  readonly path: string;
}

export function compareJson(
  { changes, complete, limits, assumptions }: Comparison,
  { before, after }: Sides,
): Iterable<string> {
  return jsonPieces({
    version: 1,
    before: sideJson(before),
    after: sideJson(after),
    equal: changes.length === 0 && complete,
    complete,
    limits,
    assumptions,
    changes: recordsOf(changes, changeJson),
  });
}

function sideJson({ path, openssh, opensshSource }: ComparedSide): object {
  return { path: pathText(path), openssh, opensshSource };
}

/** One text where both sides were judged alike. */
export function sidesTexts({ before, after }: Sides): readonly string[] {
  const [one, other] = [judgedText(before), judgedText(after)];
  return one === other ? [one] : [`before: ${one}`, `after: ${other}`];
}

function changeJson({ capability, change, condition, grants, witness, before, after }: PolicyChange): object {
  return {
    capability,
    change,
    condition,
    grants,
    witness: connectionJson(witness),
    before: before.map(deciderJson),
    after: after.map(deciderJson),
  };
}

export function comparePretty(
  { changes, limits, assumptions }: Comparison,
  { paint, judged }: { readonly paint: ChalkInstance; readonly judged: readonly string[] },
): string {
  const lines = changes.flatMap((change) => changeLines(change, paint));
  const touched = new Set(changes.map(({ capability }) => capability));
  const same = CAPABILITIES.filter((capability) => !touched.has(capability));
  if (changes.length === 0 && limits.length === 0)
    lines.push("same    every kind of forwarding, for every connection");
  else if (same.length > 0 && limits.length === 0) lines.push(`same    ${same.join(", ")}`);
  for (const limit of limits) lines.push(`not complete: ${visible(limit)}`);
  for (const assumption of assumptions) lines.push(paint.dim(`assumed: ${visible(assumption)}`));
  for (const text of judged) lines.push(paint.dim(visible(text)));
  return lines.map((line) => `${line}\n`).join("");
}

function changeLines(
  { capability, change, condition, grants, witness, before, after }: PolicyChange,
  paint: ChalkInstance,
): string[] {
  const word = change === "gained" ? paint.red("gained") : paint.green("lost  ");
  const what =
    grants.length === 0 ? "" : `${capability === "tun" ? ":" : " to"} ${grants.map(visible).join(", ")}`;
  return [
    `${word}  ${capability.padEnd(11)} ${visible(condition)}${what}`,
    `          before  ${whyText(before)}`,
    `          after   ${whyText(after)}`,
    paint.dim(
      `          e.g.    -C ${visible(shellWord(formatSpecification(witness)))}${groupsText(witness.groups)}`,
    ),
  ];
}

function whyText(deciders: readonly Decider[]): string {
  const written = deciders.filter(({ directive }) => directive !== null);
  return (written.length > 0 ? written : deciders.slice(0, 1)).map(deciderText).join(", ");
}

function groupsText(groups: readonly string[] | null): string {
  return groups === null || groups.length === 0 ? "" : ` (in ${groups.map(visible).join(", ")})`;
}
