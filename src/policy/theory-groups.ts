/**
 * The theory of groups: is there a set of group names that fits some group lists and misses others? A list is met when
 * one name hits it and no name hits a negated item (groupaccess.c); it is missed when no name hits it, or one vetoes it.
 */
import type { ListMatch, PatternItem } from "../../grammar/patterns.ts";
import { type Found, findName, type NameConstraint, type NameDomain } from "./theory-names.ts";

type Items = readonly PatternItem[];

const AVOID: readonly ListMatch[] = [-1, 0];
const KEEP: readonly ListMatch[] = [0, 1];

/** Lists with a negated item can be missed in two ways; more than this many are not combined. */
const MAX_VETOES = 10;

export function findGroups(
  met: readonly Items[],
  missed: readonly Items[],
  domain: NameDomain,
): Found<string[]> {
  if (met.length === 0) return { kind: "found", value: [] };
  const vetoable = missed.filter((items) => items.some(({ negated }) => negated));
  let unknown = vetoable.length > MAX_VETOES;
  const combinations = 1 << Math.min(vetoable.length, MAX_VETOES);
  for (let mask = 0; mask < combinations; mask++) {
    const vetoed = vetoable.filter((_, index) => index < MAX_VETOES && (mask & (1 << index)) !== 0);
    const found = findWith(met, missed, vetoed, domain);
    if (found.kind === "found") return found;
    if (found.kind === "unknown") unknown = true;
  }
  return unknown ? { kind: "unknown" } : { kind: "none" };
}

/** `vetoed`: missed lists that get a group of their own on a negated item; the others must simply not be hit. */
function findWith(
  met: readonly Items[],
  missed: readonly Items[],
  vetoed: readonly Items[],
  domain: NameDomain,
): Found<string[]> {
  const avoided = missed
    .filter((items) => !vetoed.includes(items))
    .map((items) => ({ items, wanted: AVOID }));
  const kept = (except: Items | null): NameConstraint[] =>
    met.filter((items) => items !== except).map((items) => ({ items, wanted: KEEP }));
  const needs: NameConstraint[][] = [
    ...met.map((items): NameConstraint[] => [{ items, wanted: [1] }, ...kept(items), ...avoided]),
    ...vetoed.map((items): NameConstraint[] => [{ items, wanted: [-1] }, ...kept(null), ...avoided]),
  ];
  const names = new Set<string>();
  for (const constraints of needs) {
    const found = findName(constraints, domain);
    if (found.kind !== "found") return found;
    names.add(found.value);
  }
  return { kind: "found", value: [...names] };
}
