/**
 * People that an entry of the policy file names, and from where they cannot log in: AllowUsers and DenyUsers may hold
 * hosts, so a login that is possible from one place may be refused from another.
 */
import { parseAddressList } from "../../grammar/addresses.ts";
import { parsePatternList } from "../../grammar/patterns.ts";
import type { Release } from "../../grammar/release.ts";
import type { Config, Criterion } from "../config/config.ts";
import type { Place } from "../source/source.ts";
import type { Guard } from "./atoms.ts";
import type { Connection } from "./connection.ts";
import type { Grant } from "./grant.ts";
import { isWild } from "./holding.ts";
import { LOGIN_KEYWORDS, type Refusal, refusalThrough, userPart } from "./login.ts";
import type { Reasoning } from "./reasoning.ts";
import { outside, type Scope, search, within } from "./search.ts";

/** The connections of each person that the grant spells out, as conjunctions of criteria. */
export function namedPeople({ criteria }: Grant): readonly (readonly Criterion[])[] {
  const user = criteria.find(({ attribute }) => attribute === "user");
  if (user?.attribute !== "user") return [];
  const others = criteria.filter((criterion) => criterion !== user);
  return user.items
    .filter(({ negated, pattern }) => !negated && !isWild(pattern))
    .map((item) => [
      { ...user, text: item.pattern, items: [item, ...user.items.filter(({ negated }) => negated)] },
      ...others,
    ]);
}

/** For each line of the lists the connections that its `pattern@hosts` items are about, by address and by name. */
export function hostedItems({ directives, release }: Config): readonly (readonly (readonly Criterion[])[])[] {
  return directives
    .filter(({ keyword }) => keyword === "allowusers" || keyword === "denyusers")
    .map(({ values, place }) => (values ?? []).flatMap((text) => hostedItem(text, place, release)));
}

function hostedItem(text: string, place: Place, release: Release): readonly (readonly Criterion[])[] {
  const name = userPart(text, release);
  if (name.length === text.length) return [];
  const hosts = text.slice(name.length + 1);
  const user: Criterion = {
    ...{ attribute: "user", place, text: name },
    items: [{ negated: false, pattern: name }],
  };
  const { items } = parseAddressList(hosts, release);
  return [
    [user, { attribute: "address", place, text: hosts, items }],
    [user, { attribute: "host", place, text: hosts, items: parsePatternList(hosts) }],
  ];
}

/** Ours: places that are looked at for one person; real lists have a few. */
const MOST_PLACES = 400;

export interface Refused {
  readonly connection: Connection;
  readonly refusal: Refusal;
}

/**
 * A connection of the scope that cannot log in whatever its groups are; `hosted`: the guards of `hostedItems`. Null:
 * none was found inside of each item and outside of those of one line or all, for each block with such a line.
 * `unsettled`: there may be one, where more places would have to be looked at, or one took more steps than the search may.
 */
export function refusedIn(
  { accounts, config, reader, searcher }: Reasoning,
  scope: Scope,
  hosted: readonly (readonly Guard[])[],
): Refused | "unsettled" | null {
  const lines = config.directives.filter(({ keyword }) => LOGIN_KEYWORDS.has(keyword));
  if (lines.length === 0) return null;
  const blocks = new Set(lines.map((line) => searcher.atoms.guardOf(line) ?? []));
  const all = hosted.flat();
  const lists = [...hosted, all].map((items) => searcher.sequenceOf(items));
  const scopes = [...blocks, []].flatMap((guard) => {
    const inner = within(scope, guard);
    return [...lists.map((items) => outside(inner, items)), ...all.map((item) => within(inner, item))];
  });
  let isSettled = scopes.length <= MOST_PLACES;
  for (const place of scopes.slice(0, MOST_PLACES)) {
    const found = search(searcher, place);
    if (found.kind === "unknown") isSettled = false;
    if (found.kind !== "witness") continue;
    const refusal = refusalThrough(reader, found.connection, config.release);
    // in the open world the user may be in other groups
    const isFixed = refusal !== null && (refusal.reach !== "person" || accounts !== null);
    if (isFixed) return { connection: found.connection, refusal };
  }
  return isSettled ? null : "unsettled";
}
