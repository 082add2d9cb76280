/**
 * What a change of the configuration means: the connections that gained or lost a kind of forwarding. Each way through
 * the old policy is followed through the new one inside the same search, so that the answer is complete.
 */
import type { Config } from "../config/config.ts";
import type { Answer, Decider } from "./answer.ts";
import { requirements } from "./capabilities.ts";
import { describeScope } from "./conditions.ts";
import { CAPABILITIES, type Capability, type Connection } from "./connection.ts";
import type { KeywordLines } from "./deciders.ts";
import { evaluate, isAnswer } from "./evaluate.ts";
import {
  assumptionsOf,
  decidersOf,
  type ExposureOptions,
  grantOf,
  type Path,
  type Reasoning,
  startReasoning,
  usesDns,
  walk,
} from "./exposure.ts";
import { EVERYWHERE, outside, type Scope, within } from "./search.ts";

export interface PolicyChange {
  readonly capability: Capability;
  readonly change: "gained" | "lost";
  /** who, in the administrator's own words */
  readonly condition: string;
  /** what was gained or lost where the capability itself stayed: destinations, or "wildcard" for a bind address */
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
  readonly before: Reasoning;
  readonly after: Reasoning;
  readonly changes: Map<string, PolicyChange>;
  readonly limits: Set<string>;
}

export function comparePolicies(before: Config, after: Config, options: ExposureOptions = {}): Comparison {
  const first = startReasoning(before, options);
  const comparing: Comparing = {
    before: first,
    after: startReasoning(after, options, first),
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
}

function compareInside(comparing: Comparing, capability: Capability, scope: Scope): void {
  const { before, after } = comparing;
  const start: Path = { scope, witness: null, decisions: [] };
  walk(before, requirements(capability, before.config.release), start, (wasOpen, old) => {
    const inside: Path = { scope: old.scope, witness: old.witness, decisions: [] };
    walk(after, requirements(capability, after.config.release), inside, (isOpen, now) => {
      const was: Side = { open: wasOpen, path: old };
      const is: Side = { open: isOpen, path: now };
      addChange(comparing, {
        capability,
        was,
        is,
        change: "gained",
        grants: gainedGrants(comparing, capability, was, is),
      });
      addChange(comparing, {
        capability,
        was,
        is,
        change: "lost",
        grants: gainedGrants(comparing, capability, is, was),
      });
    });
  });
}

/** Values can differ only where a line decides that the other side does not have in its place. */
function changedScopes({ before, after }: Comparing, capability: Capability): readonly Scope[] {
  const wanted = requirements(capability, before.config.release).map(({ keyword }) => keyword);
  const also = requirements(capability, after.config.release).map(({ keyword }) => keyword);
  if (wanted.join(" ") !== also.join(" ")) return [EVERYWHERE];
  return wanted.flatMap((keyword) => {
    const old = before.linesOf(keyword);
    const now = after.linesOf(keyword);
    const same = commonLines(old.guarded.map(lineKey), now.guarded.map(lineKey));
    return [
      ...scopesOfChanged(old, same.first, globalOf(old) !== globalOf(now)),
      ...scopesOfChanged(now, same.second, globalOf(old) !== globalOf(now)),
    ];
  });
}

function lineKey({ guard, directive }: KeywordLines["guarded"][number]): string {
  return `${guard.join(",")} ${(directive.values ?? []).join(" ")}`;
}

function globalOf({ global, defaults }: KeywordLines): string {
  return (global?.values ?? defaults).join(" ");
}

function scopesOfChanged(
  { guarded }: KeywordLines,
  same: ReadonlySet<number>,
  globalChanged: boolean,
): Scope[] {
  const guards = guarded.map(({ guard }) => guard);
  const scopes = guards.flatMap((guard, index) => {
    const inner = same.has(index) ? null : within(EVERYWHERE, guard);
    return inner === null ? [] : [outside(inner, guards.slice(0, index))];
  });
  return globalChanged ? [...scopes, outside(EVERYWHERE, guards)] : scopes;
}

interface Common {
  readonly first: ReadonlySet<number>;
  readonly second: ReadonlySet<number>;
}

/** More cells than this are not filled: the lines between the common ends then count as changed. */
const MAX_CELLS = 4_000_000;

/** Positions of a longest common subsequence in both lists. */
function commonLines(a: readonly string[], b: readonly string[]): Common {
  const first = new Set<number>();
  const second = new Set<number>();
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) {
    first.add(start);
    second.add(start++);
  }
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    first.add(--endA);
    second.add(--endB);
  }
  const width = endB - start + 1;
  if ((endA - start + 1) * width > MAX_CELLS) return { first, second };
  const lengths = new Uint32Array((endA - start + 1) * width);
  const at = (i: number, j: number): number => lengths[(i - start) * width + (j - start)] ?? 0;
  for (let i = endA - 1; i >= start; i--) {
    for (let j = endB - 1; j >= start; j--) {
      const longest = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
      lengths[(i - start) * width + (j - start)] = longest;
    }
  }
  for (let i = start, j = start; i < endA && j < endB; ) {
    if (a[i] === b[j]) {
      first.add(i++);
      second.add(j++);
    } else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return { first, second };
}

interface Side {
  readonly open: boolean;
  readonly path: Path;
}

/** What the second side allows and the first does not; null: nothing, empty: the capability itself. */
function gainedGrants(
  { before }: Comparing,
  capability: Capability,
  from: Side,
  to: Side,
): readonly string[] | null {
  if (!to.open) return null;
  if (!from.open) return [];
  const old = grantsOf(grantOf(before, capability, from.path));
  const gained = grantsOf(grantOf(before, capability, to.path)).filter((grant) => !covers(old, grant));
  return gained.length === 0 ? null : gained;
}

function grantsOf({ destinations, listen }: Pick<Answer, "destinations" | "listen">): readonly string[] {
  if (listen === null) return destinations;
  const bind = { loopback: [], client: ["other addresses on request"], wildcard: ["all addresses"] }[
    listen.bind
  ];
  return [...listen.addresses, ...bind];
}

function covers(grants: readonly string[], grant: string): boolean {
  const isPlace = grant.includes(":") || grant.startsWith("/");
  return grants.includes(grant) || (isPlace && (grants.includes("*:*") || grants.includes("*")));
}

interface Candidate {
  readonly capability: Capability;
  readonly was: Side;
  readonly is: Side;
  readonly change: "gained" | "lost";
  readonly grants: readonly string[] | null;
}

/** Changes with the same deciding lines on both sides are one. */
function addChange(comparing: Comparing, { capability, was, is, change, grants }: Candidate): void {
  if (grants === null) return;
  const before = decidersOf(was.open, was.path);
  const after = decidersOf(is.open, is.path);
  const key = [capability, change, grants.join(" "), ...[...before, ...after].map(keyOf)].join("\n");
  if (comparing.changes.has(key)) return;
  const witness = confirmed(comparing, capability, was, is);
  if (witness === null) {
    comparing.limits.add(
      `whether ${capability} was ${change} somewhere could not be settled within the effort limit`,
    );
    return;
  }
  const condition = describeScope(comparing.before.searcher, is.path.scope);
  comparing.changes.set(key, { capability, change, condition, grants, witness, before, after });
}

function keyOf({ keyword, value, directive }: Decider): string {
  return `${keyword} ${value} ${directive?.order ?? "default"}`;
}

/** Invariant: every witness goes through the plain evaluator, on both sides. */
function confirmed(comparing: Comparing, capability: Capability, was: Side, is: Side): Connection | null {
  const sampled = comparing.before.searcher.sample({ met: is.path.scope.met, missed: is.path.scope.missed });
  const isTrivial = is.path.scope.without.length === 0 && sampled.kind === "found";
  const witness = is.path.witness ?? (isTrivial ? sampled.value : null);
  if (witness === null) return null;
  const agrees =
    isOpenAt(comparing.before.config, capability, witness) === was.open &&
    isOpenAt(comparing.after.config, capability, witness) === is.open;
  return agrees ? witness : null;
}

function isOpenAt(config: Config, capability: Capability, connection: Connection): boolean | null {
  const effective = evaluate(config, connection);
  if (!isAnswer(effective)) return null;
  return requirements(capability, config.release).every(
    ({ keyword, closes }) => !closes(effective.get(keyword)?.values ?? []),
  );
}
