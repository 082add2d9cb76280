/** What is open beyond all grants of a policy file. */
import type { Answer } from "./answer.ts";
import type { Guard } from "./atoms.ts";
import { criterionHolds } from "./evaluate.ts";
import { type Asking, toAnswer } from "./exposure.ts";
import { bindCovers, coversItem, type Grant, itemsOf, overlapsItem, wantedItems } from "./grant.ts";
import type { Region } from "./regions.ts";
import { outside, search, within } from "./search.ts";

/** A part of an open answer that no grant covers. */
export interface Excess {
  /** narrowed to the connections and destinations that are not wanted */
  readonly answer: Answer;
  /** the answer that it is a part of */
  readonly of: Answer;
  /** some of that answer is wanted, so closing all of it would take too much */
  readonly partly: boolean;
}

/** A grant with its connections as a guard; null: no connection can be meant. */
export interface Placed {
  readonly grant: Grant;
  readonly guard: Guard | null;
}

export interface OpenRegion {
  readonly region: Region;
  readonly answer: Answer;
}

export interface Granted {
  readonly places: readonly Placed[];
  readonly used: Set<Grant>;
}

export function excessOf(
  asking: Asking,
  { region, answer }: OpenRegion,
  { places, used }: Granted,
): Excess[] {
  const { capability } = answer;
  const meeting = places.filter(
    (placed) =>
      placed.grant.capabilities.includes(capability) &&
      touches(placed, answer) &&
      meets(asking, region, placed),
  );
  for (const { grant } of meeting) used.add(grant);
  return [...itemsByCovering(meeting, answer)].flatMap(([covering, items]) => {
    const left = leftOf(
      asking,
      region,
      covering.flatMap(({ guard }) => (guard === null ? [] : [guard])),
    );
    if (left === null) return [];
    const narrowed = withItems(toAnswer(asking, capability, left), items);
    return [{ answer: outsideGrants(asking, narrowed, covering), of: answer, partly: meeting.length > 0 }];
  });
}

function covers({ grant }: Placed, item: string, answer: Answer): boolean {
  const { capability } = answer;
  return (
    bindCovers(grant, answer) && (item === "" || coversItem(wantedItems(grant, capability), item, capability))
  );
}

/** Whether the grant wants some of what the answer gives. */
function touches({ grant }: Placed, answer: Answer): boolean {
  const { capability } = answer;
  const wanted = wantedItems(grant, capability);
  const given = itemsOf(answer);
  return given.some((item) => item === "" || overlapsItem(wanted, item, capability));
}

function meets({ reasoning: { searcher } }: Asking, region: Region, { guard }: Placed): boolean {
  return guard !== null && search(searcher, within(region.scope, guard)).kind !== "none";
}

/** Items that the same grants cover are asked about together. */
function itemsByCovering(
  meeting: readonly Placed[],
  answer: Answer,
): ReadonlyMap<readonly Placed[], readonly string[]> {
  const groups = new Map<string, { readonly covering: readonly Placed[]; readonly items: string[] }>();
  for (const item of itemsOf(answer)) {
    const covering = meeting.filter((placed) => covers(placed, item, answer));
    const key = covering.map((placed) => meeting.indexOf(placed)).join();
    const group = groups.get(key) ?? { covering, items: [] };
    groups.set(key, group);
    group.items.push(item);
  }
  return new Map([...groups.values()].map(({ covering, items }) => [covering, items]));
}

/** The part of the region outside the guards; null where nothing is left. */
export function leftOf(
  { reasoning: { searcher } }: Asking,
  region: Region,
  guards: readonly Guard[],
): Region | null {
  if (guards.length === 0) return region;
  const scope = outside(region.scope, searcher.sequenceOf(guards));
  const result = search(searcher, scope);
  if (result.kind === "none") return null;
  return { ...region, scope, witness: result.kind === "witness" ? result.connection : null };
}

function withItems(answer: Answer, items: readonly string[]): Answer {
  if (items.includes("")) return answer;
  const { listen } = answer;
  return listen === null
    ? { ...answer, destinations: items }
    : { ...answer, listen: { ...listen, addresses: items } };
}

/** Invariant: the witness of an excess lies in no grant, by the plain reading of its criteria. */
function outsideGrants(asking: Asking, answer: Answer, covering: readonly Placed[]): Answer {
  const { witness } = answer;
  const { release } = asking.reasoning.config;
  const isInside = ({ grant }: Placed): boolean =>
    witness !== null &&
    grant.criteria.every((criterion) => criterionHolds(criterion, witness, release) === true);
  if (!covering.some(isInside)) return answer;
  const reason = `whether more is open than the policy file allows ${answer.condition} could not be settled`;
  asking.limits.add(reason);
  return { ...answer, allowed: "unknown", unknownBecause: reason, witness: null };
}
