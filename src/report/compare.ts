/** What a change of the policy means: lines for people, and JSON. */
import type { ChalkInstance } from "chalk";
import type { Decider } from "../policy/answer.ts";
import type { Comparison, PolicyChange } from "../policy/compare.ts";
import { CAPABILITIES, type Capability } from "../policy/connection.ts";
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

/** Lines for people, in which kinds that change alike share theirs, and for grep, which finds each kind by itself. */
export function compareText(
  { changes, limits, assumptions }: Comparison,
  {
    kinds,
    paint,
    judged,
  }: {
    readonly kinds: "together" | "apart";
    readonly paint: ChalkInstance;
    readonly judged: readonly string[];
  },
): string {
  const lines = alike(changes, kinds).flatMap((change) => changeLines(change, paint));
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

/** What one change says, and the kinds of forwarding of which it says it. */
interface Told {
  readonly change: PolicyChange["change"];
  readonly kinds: Capability[];
  readonly who: string;
  readonly why: readonly string[];
}

function alike(changes: readonly PolicyChange[], kinds: "together" | "apart"): readonly Told[] {
  const told = new Map<string, Told>();
  for (const change of changes) {
    const one = toldOf(change);
    const key = JSON.stringify([one.change, one.who, one.why, kinds === "apart" ? one.kinds : []]);
    const known = told.get(key);
    if (known === undefined) told.set(key, one);
    else known.kinds.push(change.capability);
  }
  return [...told.values()];
}

function toldOf({ capability, change, condition, grants, witness, before, after }: PolicyChange): Told {
  const what =
    grants.length === 0 ? "" : `${capability === "tun" ? ":" : " to"} ${grants.map(visible).join(", ")}`;
  return {
    change,
    kinds: [capability],
    who: `${visible(condition)}${what}`,
    why: [
      `          before  ${whyText(before)}`,
      `          after   ${whyText(after)}`,
      `          e.g.    -C ${visible(shellWord(formatSpecification(witness)))}${groupsText(witness.groups)}`,
    ],
  };
}

const WIDTH_OF_KIND = 11;

function changeLines({ change, kinds, who, why }: Told, paint: ChalkInstance): string[] {
  const word = change === "gained" ? paint.red("gained") : paint.green("lost  ");
  const [before = "", after = "", example = ""] = why;
  return [`${word}  ${kinds.join(", ").padEnd(WIDTH_OF_KIND)} ${who}`, before, after, paint.dim(example)];
}

function whyText(deciders: readonly Decider[]): string {
  const written = deciders.filter(({ directive }) => directive !== null);
  return (written.length > 0 ? written : deciders.slice(0, 1)).map(deciderText).join(", ");
}

function groupsText(groups: readonly string[] | null): string {
  return groups === null || groups.length === 0 ? "" : ` (in ${groups.map(visible).join(", ")})`;
}
