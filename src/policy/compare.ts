/**
 * What a change of the configuration means: the connections that gained or lost a kind of forwarding. Each way through
 * the old policy is followed through the new one inside the same search, so that the answer is complete.
 */
import type { Config } from "../config/config.ts";
import type { Answer, Decider } from "./answer.ts";
import { assumptionsOf } from "./assumptions.ts";
import { type PortLimits, repairDoubts, requirementsUnder, tunnelModes } from "./capabilities.ts";
import { describeScope } from "./conditions.ts";
import { CAPABILITIES, type Capability, type Connection } from "./connection.ts";
import { type KeywordLines, usesDns } from "./deciders.ts";
import { type Endings, endingSets, NO_ENDINGS } from "./endings.ts";
import { decidersOf, type ExposureOptions, grantOf } from "./exposure.ts";
import { coversItem, itemsOf } from "./grant.ts";
import type { GuardSequence } from "./guard-sequence.ts";
import { type Reasoning, reasonWith } from "./reasoning.ts";
import { eachOutcome, type Region } from "./regions.ts";
import { makeSearcher, outside, type Scope, type Searcher, within } from "./search.ts";
import { commonLines } from "./shared-lines.ts";

export interface PolicyChange {
  readonly capability: Capability;
  readonly change: "gained" | "lost";
  /** who, in the administrator's own words */
  readonly condition: string;
  /** what was gained or lost where the capability itself stayed: destinations, a bind address, a kind of tunnel */
  readonly grants: readonly string[];
  readonly witness: Connection;
  readonly before: readonly Decider[];
  readonly after: readonly Decider[];
}

export interface Comparison {
  readonly changes: readonly PolicyChange[];
  readonly complete: boolean;
  readonly limits: readonly string[];
  readonly assumptions: readonly string[];
}

interface Comparing {
  readonly searcher: Searcher;
  readonly ports: PortLimits;
  readonly before: Reasoning;
  readonly after: Reasoning;
  readonly changes: Map<string, PolicyChange>;
  readonly limits: Set<string>;
}

export function comparePolicies(before: Config, after: Config, options: ExposureOptions = {}): Comparison {
  const accounts = options.accounts ?? null;
  const searcher = makeSearcher(
    [before, after],
    { accounts, namedHosts: usesDns(before) || usesDns(after) },
    [...endingSets(before), ...endingSets(after)],
  );
  const comparing: Comparing = {
    searcher,
    ports: { unprivilegedPortStart: options.unprivilegedPortStart ?? null, root: true },
    before: reasonWith(searcher, before, accounts),
    after: reasonWith(searcher, after, accounts),
    changes: new Map(),
    limits: new Set([...before.limits, ...after.limits]),
  };
  if (usesDns(before) !== usesDns(after) && [...before.matches, ...after.matches].some(namesHost))
    comparing.limits.add("UseDNS changes, and what Match Host means with it: the hosts are not compared");
  for (const capability of CAPABILITIES) compareCapability(comparing, capability);
  const limits = [...comparing.limits];
  return {
    changes: [...comparing.changes.values()],
    complete: limits.length === 0,
    limits,
    assumptions: [...new Set([...assumptionsOf(before, options), ...assumptionsOf(after, options)])],
  };
}

function namesHost({ criteria }: Config["matches"][number]): boolean {
  return criteria.some(({ attribute }) => attribute === "host");
}

function compareCapability(comparing: Comparing, capability: Capability): void {
  for (const scope of changedScopes(comparing, capability)) compareInside(comparing, capability, scope);
  const told = new Set<string>();
  for (const { config } of [comparing.before, comparing.after])
    for (const { keyword, text } of repairDoubts(config, capability)) {
      if (!told.has(keyword) && mayCount(comparing, capability, keyword)) comparing.limits.add(text);
      told.add(keyword);
    }
}

/** Whether somebody may gain or lose the capability by the keyword, where it may stop it or not. */
function mayCount({ searcher, before, after }: Comparing, capability: Capability, keyword: string): boolean {
  const scopes =
    before.config.release === after.config.release
      ? changedScopesOf(searcher, before.linesOf(keyword), after.linesOf(keyword))
      : [searcher.everywhere];
  let isOpen = false;
  for (const scope of scopes)
    for (const side of [before, after])
      eachOutcome(side, capability, { scope, witness: null }, ({ allowed }) => {
        isOpen ||= allowed;
      });
  return isOpen;
}

function compareInside(comparing: Comparing, capability: Capability, scope: Scope): void {
  const { before, after } = comparing;
  eachOutcome(before, capability, { scope, witness: null }, (was) => {
    eachOutcome(after, capability, was, (is) => {
      const gained = gainedGrants(comparing, capability, was, is);
      const lost = gainedGrants(comparing, capability, is, was);
      addChange(comparing, { capability, was, is, change: "gained", grants: gained });
      addChange(comparing, { capability, was, is, change: "lost", grants: lost });
    });
  });
}

/** Values can differ only where a line decides that the other side does not have in its place. */
function changedScopes({ searcher, before, after }: Comparing, capability: Capability): readonly Scope[] {
  const wanted = requirementsUnder(before.config, capability).map(({ keyword }) => keyword);
  const also = requirementsUnder(after.config, capability).map(({ keyword }) => keyword);
  if (wanted.join(" ") !== also.join(" ")) return [searcher.everywhere];
  return [
    ...changedEndings(searcher, before.endings, after.endings),
    ...wanted.flatMap((keyword) =>
      changedScopesOf(searcher, before.linesOf(keyword), after.linesOf(keyword)),
    ),
  ];
}

function changedEndings(
  searcher: Searcher,
  before: readonly Endings[],
  after: readonly Endings[],
): readonly Scope[] {
  const about = new Set([...before, ...after].map((endings) => endings.about));
  return [...about].flatMap((what) => {
    const [old = NO_ENDINGS, now = NO_ENDINGS] = [before, after].map((side) =>
      side.find((endings) => endings.about === what),
    );
    return scopesOfBoth(searcher, { old: endingSteps(old), now: endingSteps(now), restChanged: false });
  });
}

function endingSteps({ sequence, outcomes }: Endings): Steps {
  return { sequence, values: outcomes.map((ending) => (ending === null ? "served" : "ended")) };
}

function changedScopesOf(searcher: Searcher, old: KeywordLines, now: KeywordLines): readonly Scope[] {
  const restChanged = old.otherwise.value !== now.otherwise.value;
  return scopesOfBoth(searcher, { old: lineSteps(old), now: lineSteps(now), restChanged });
}

function lineSteps({ sequence, guarded }: KeywordLines): Steps {
  return { sequence, values: guarded.map(({ value }) => value) };
}

/** Guards in order, and what each of them leads to. */
interface Steps {
  readonly sequence: GuardSequence;
  readonly values: readonly string[];
}

function scopesOfBoth(
  searcher: Searcher,
  { old, now, restChanged }: { readonly old: Steps; readonly now: Steps; readonly restChanged: boolean },
): readonly Scope[] {
  const same = commonLines(stepKeys(old), stepKeys(now));
  return [
    ...scopesOfChanged(searcher, old, { same: same.first, restChanged }),
    ...scopesOfChanged(searcher, now, { same: same.second, restChanged }),
  ];
}

function stepKeys({ sequence, values }: Steps): readonly string[] {
  return values.map((value, position) => `${(sequence.guards[position] ?? []).join(",")} ${value}`);
}

function scopesOfChanged(
  searcher: Searcher,
  { sequence }: Steps,
  { same, restChanged }: { readonly same: ReadonlySet<number>; readonly restChanged: boolean },
): Scope[] {
  const scopes = sequence.guards.flatMap((guard, position) =>
    same.has(position) ? [] : [outside(within(searcher.everywhere, guard), sequence, position)],
  );
  return restChanged ? [...scopes, outside(searcher.everywhere, sequence)] : scopes;
}

/** What the second side allows and the first does not; null: nothing, empty: the capability itself. */
function gainedGrants(
  comparing: Comparing,
  capability: Capability,
  from: Region,
  to: Region,
): readonly string[] | null {
  if (!to.allowed) return null;
  if (!from.allowed) return [];
  const old = grantOf(comparing.ports, capability, from);
  const now = grantOf(comparing.ports, capability, to);
  const given = capability === "tun" ? modesOf(from) : itemsOf(old);
  const wanted = capability === "tun" ? modesOf(to) : itemsOf(now);
  const items = wanted.filter((item) => !coversItem(given, item, capability));
  const binds = bindsOf(now).filter((bind) => !bindsOf(old).includes(bind));
  const gained = [...items, ...binds];
  return gained.length === 0 ? null : gained;
}

function modesOf({ choices }: Region): readonly string[] {
  return tunnelModes(choices.find(({ keyword }) => keyword === "permittunnel")?.values ?? []);
}

/** Beyond loopback. */
function bindsOf({ listen }: Pick<Answer, "listen">): readonly string[] {
  return { loopback: [], client: ["other addresses on request"], wildcard: ["all addresses"] }[
    listen?.bind ?? "loopback"
  ];
}

interface Candidate {
  readonly capability: Capability;
  readonly was: Region;
  readonly is: Region;
  readonly change: "gained" | "lost";
  readonly grants: readonly string[] | null;
}

/** Changes with the same deciding lines on both sides are one. */
function addChange(comparing: Comparing, { capability, was, is, change, grants }: Candidate): void {
  if (grants === null) return;
  const before = decidersOf(was);
  const after = decidersOf(is);
  const key = [capability, change, grants.join(" "), ...[...before, ...after].map(keyOf)].join("\n");
  if (comparing.changes.has(key)) return;
  const witness = confirmed(comparing, capability, { was, is });
  if (witness === null) {
    comparing.limits.add(
      `whether ${capability} was ${change} somewhere could not be settled within the effort limit`,
    );
    return;
  }
  const condition = describeScope(comparing.searcher, is.scope);
  comparing.changes.set(key, { capability, change, condition, grants, witness, before, after });
}

function keyOf({ keyword, value, directive }: Decider): string {
  return `${keyword} ${value} ${directive?.order ?? "default"}`;
}

/** Invariant: every witness goes through the plain reading, on both sides. */
function confirmed(
  { searcher, before, after }: Comparing,
  capability: Capability,
  { was, is }: Pick<Candidate, "was" | "is">,
): Connection | null {
  const sampled = searcher.boxes.sample(searcher.boxes.within(is.scope.met));
  const anybody = is.scope.without.length === 0 && sampled.kind === "found" ? sampled.value : null;
  const witness = is.witness ?? anybody;
  if (witness === null) return null;
  const agrees =
    isOpenAt(before, capability, witness) === was.allowed &&
    isOpenAt(after, capability, witness) === is.allowed;
  return agrees ? witness : null;
}

/** No more where sshd has no answer. */
function isOpenAt({ reader, config }: Reasoning, capability: Capability, connection: Connection): boolean {
  for (const { keyword, closes } of requirementsUnder(config, capability)) {
    const setting = reader.read(connection, keyword);
    if (setting === null || closes(setting.values)) return false;
  }
  return true;
}
