/**
 * People that an entry of the policy file names, and from where they cannot log in: AllowUsers and DenyUsers may hold
 * hosts, so a login that is possible from one place may be refused from another.
 */
import type { Criterion } from "../config/config.ts";
import type { Connection } from "./connection.ts";
import { allOf, not } from "./demand.ts";
import type { Grant } from "./grant.ts";
import { isWild } from "./holding.ts";
import { type Refusal, refusalThrough } from "./login.ts";
import type { Reasoning } from "./reasoning.ts";
import { type Scope, search } from "./search.ts";

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

export interface Refused {
  readonly connection: Connection;
  readonly refusal: Refusal;
}

/**
 * A connection of the scope that cannot log in whatever its groups are, unless accounts are known. Null: there is none.
 * `unsettled`: it took more steps than the search may, or sshd ends it.
 */
export function refusedIn(
  { accounts, admission, config, searcher }: Reasoning,
  scope: Scope,
): Refused | "unsettled" | null {
  const { exists, user, groups } = admission();
  const found = search(searcher, scope, allOf(exists, not(accounts === null ? user : allOf(user, groups))));
  if (found.kind === "none") return null;
  const refusal = found.kind === "witness" ? refusalThrough(config, found.connection) : null;
  return found.kind === "witness" && refusal !== null
    ? { connection: found.connection, refusal }
    : "unsettled";
}
