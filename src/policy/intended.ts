/**
 * The policy against what is wanted, in both directions: what is open beyond all grants, and what a grant needs and the
 * policy does not give. Sets are compared inside one search, so that the answers are complete, each with a witness.
 */
import type { Config } from "../config/config.ts";
import type { Answer, Decider, Exposure, Extent } from "./answer.ts";
import type { Guard } from "./atoms.ts";
import { CAPABILITIES, type Capability, type Connection } from "./connection.ts";
import { criterionHolds } from "./evaluate.ts";
import {
  type Asking,
  type ExposureOptions,
  eachRegion,
  type Region,
  regionsOf,
  startAsking,
  toAnswer,
  toExposure,
} from "./exposure.ts";
import { bindCovers, coversItem, type Grant, itemsOf, overlapsItem, wantedItems } from "./grant.ts";
import { hostedItems, namedPeople, refusedIn } from "./kept-logins.ts";
import { rootOnly, rootUsers, whyRootOnly } from "./kept-ports.ts";
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

/** Connections of a grant that do not get what it wants. */
export interface Loss {
  readonly grant: Grant;
  readonly capability: Capability;
  /**
   * `closed` · `narrower`: open, but not to `missing` · `no-login`: nobody of them can log in · `needs-root`: open, but
   * the kernel lets only root bind the ports of `missing` · `refused`: somebody whom the grant names cannot log in, at
   * least from somewhere · `nobody`: none can exist
   */
  readonly kind: "closed" | "narrower" | "no-login" | "needs-root" | "refused" | "nobody";
  /** what of the grant's destinations or addresses is not given; "other addresses than loopback" for a bind address */
  readonly missing: readonly string[];
  readonly condition: string;
  readonly extent: Extent;
  readonly witness: Connection | null;
  readonly decidedBy: readonly Decider[];
  /** why they cannot log in, or bind the port */
  readonly because: string;
}

export interface Wanted {
  /** what may be open */
  readonly allowed: readonly Grant[];
  /** what must be open; it may be, too */
  readonly kept: readonly Grant[];
}

export interface IntentAnswer {
  readonly exposure: Exposure;
  readonly excess: readonly Excess[];
  readonly losses: readonly Loss[];
  /** grants under which something is open */
  readonly used: ReadonlySet<Grant>;
}

export function compareWithIntent(
  config: Config,
  { allowed, kept }: Wanted,
  options: ExposureOptions = {},
): IntentAnswer {
  const grants = [...allowed, ...kept];
  const lists = hostedItems(config);
  const roots = kept.some(({ listen }) => listen !== null) ? [rootUsers(options.accounts ?? null)] : [];
  const sets = [grants.map(({ criteria }) => criteria), roots, ...lists, ...kept.map(namedPeople)];
  const asking = startAsking(config, { ...options, sets: sets.flat() });
  const [guards = [], ...rest] = inGroups(asking.reasoning.searcher.atoms.sets, sets);
  const named = rest.map((group) => group.filter((guard) => guard !== null));
  const [root = [], ...logins] = named;
  const [hosted, people] = [logins.slice(0, lists.length), logins.slice(lists.length)];
  const places = grants.map((grant, index): Placed => ({ grant, guard: guards[index] ?? null }));
  const used = new Set<Grant>();
  const excess: Excess[] = [];
  const answers = CAPABILITIES.flatMap((capability) =>
    regionsOf(asking.reasoning, capability).map((region) => {
      const answer = toAnswer(asking, capability, region);
      if (answer.allowed !== false) excess.push(...excessOf(asking, { region, answer }, { places, used }));
      return answer;
    }),
  );
  const losses = places
    .slice(allowed.length)
    .flatMap((placed, index) => lossesOf(asking, placed, { people: people[index] ?? [], hosted, root }));
  return { exposure: toExposure(asking, answers, options), excess, losses, used };
}

/** `all` in pieces as long as those of `like`. */
function inGroups<T>(all: readonly T[], like: readonly (readonly unknown[])[]): readonly (readonly T[])[] {
  let start = 0;
  return like.map(({ length }) => {
    start += length;
    return all.slice(start - length, start);
  });
}

/** A grant with its connections as a guard; null: no connection can be meant. */
interface Placed {
  readonly grant: Grant;
  readonly guard: Guard | null;
}

interface OpenRegion {
  readonly region: Region;
  readonly answer: Answer;
}

interface Granted {
  readonly places: readonly Placed[];
  readonly used: Set<Grant>;
}

function excessOf(asking: Asking, { region, answer }: OpenRegion, { places, used }: Granted): Excess[] {
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
function leftOf(
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

/**
 * Guards of the people that a grant names, by line of the items of AllowUsers and DenyUsers that name hosts, and of
 * those who may bind every port.
 */
interface Logins {
  readonly people: readonly Guard[];
  readonly root: readonly Guard[];
  readonly hosted: readonly (readonly Guard[])[];
}

function lossesOf(asking: Asking, { grant, guard }: Placed, logins: Logins): Loss[] {
  const { searcher } = asking.reasoning;
  const scope = guard === null ? null : within(searcher.everywhere, guard);
  const found = scope === null ? null : search(searcher, scope);
  if (scope === null || found === null || found.kind === "none")
    return grant.capabilities.slice(0, 1).map((capability) => ({ grant, capability, ...NOBODY }));
  const witness = found.kind === "witness" ? found.connection : null;
  return grant.capabilities.flatMap((capability) => {
    const losses = new Map<string, Loss>();
    eachRegion(asking.reasoning, capability, { scope, witness }, (region) => {
      const answer = toAnswer(asking, capability, region);
      const open = { region, answer };
      const loss =
        lossIn(grant, answer) ??
        needsRootLoss(asking, open, grant, logins) ??
        refusedLoss(asking, open, grant, logins);
      const key = loss === null ? "" : `${loss.kind} ${loss.decidedBy.map(keyOf).join()}`;
      if (loss !== null && !losses.has(key)) losses.set(key, loss);
    });
    return [...losses.values()];
  });
}

const NOBODY: Omit<Loss, "grant" | "capability"> = {
  kind: "nobody",
  missing: [],
  condition: "",
  extent: { who: "", except: [] },
  witness: null,
  decidedBy: [],
  because: "",
};

function keyOf({ keyword, directive }: Decider): string {
  return `${keyword} ${directive?.order ?? "default"}`;
}

function lossIn(grant: Grant, answer: Answer): Loss | null {
  const { capability, condition, extent, witness, decidedBy, loginBecause: because } = answer;
  const lost = { grant, capability, condition, extent, witness, decidedBy, because };
  const wanted = wantedItems(grant, capability);
  // its destinations may all be places of TCP, or all sockets
  if (answer.allowed === "unknown" || wanted.length === 0) return null;
  const items = wanted.filter((item) => item !== "");
  if (answer.allowed === false) return { ...lost, kind: "closed", missing: items };
  const missing = missingOf(grant, answer, wanted);
  if (missing.length > 0) return { ...lost, kind: "narrower", missing };
  return answer.login === "impossible" ? { ...lost, kind: "no-login", missing: items } : null;
}

/** Open, but for ports that some of them who can log in may not bind. */
function needsRootLoss(
  asking: Asking,
  { region, answer: { allowed, capability } }: OpenRegion,
  grant: Grant,
  { root }: Logins,
): Loss | null {
  const { ports, reasoning } = asking;
  const missing = capability === "tcp-remote" ? rootOnly(grant, ports) : [];
  const left = allowed === true && missing.length > 0 ? leftOf(asking, region, root) : null;
  if (left === null) return null;
  const answer = toAnswer(asking, capability, left);
  if (answer.allowed !== true || answer.login === "impossible") return null;
  const { condition, extent, witness, decidedBy } = answer;
  const because = whyRootOnly(ports, reasoning.config.release);
  return { grant, capability, kind: "needs-root", missing, condition, extent, witness, decidedBy, because };
}

/** Open for somebody whom the grant names, who cannot log in, at least from somewhere. */
function refusedLoss(
  { reasoning }: Asking,
  { region, answer }: OpenRegion,
  grant: Grant,
  { people, hosted }: Logins,
): Loss | null {
  const { allowed, capability, condition, extent, decidedBy } = answer;
  const missing = wantedItems(grant, capability);
  if (allowed !== true || missing.length === 0) return null;
  for (const person of people) {
    const found = refusedIn(reasoning, within(region.scope, person), hosted);
    if (found === null) continue;
    const { connection: witness, refusal } = found;
    const lost = { grant, capability, condition, extent, witness, decidedBy, because: refusal.because };
    return { ...lost, kind: "refused", missing: missing.filter((item) => item !== "") };
  }
  return null;
}

function missingOf(grant: Grant, answer: Answer, wanted: readonly string[]): string[] {
  const given = itemsOf(answer);
  const items = wanted.filter((item) => item !== "" && !coversItem(given, item, answer.capability));
  const needsWide = grant.bind === "any" && answer.listen?.bind === "loopback";
  return needsWide ? [...items, "other addresses than loopback"] : items;
}
