/**
 * Who may log in at all, beside the grant and never part of it: AllowUsers, DenyUsers, AllowGroups, DenyGroups,
 * PermitRootLogin and RefuseConnection (OpenSSH auth.c allowed_user, auth_root_allowed).
 */
import { matchAddressList, parseAddressList } from "../../grammar/addresses.ts";
import { matchHostList, matchPattern, parsePatternList } from "../../grammar/patterns.ts";
import { atLeast, type Release } from "../../grammar/release.ts";
import type { Config } from "../config/config.ts";
import type { Connection } from "./connection.ts";
import { type Effective, type Evaluated, isAnswer } from "./evaluate.ts";
import type { Scope, Searcher } from "./search.ts";

export interface LoginAnswer {
  readonly login: "possible" | "impossible" | "unknown";
  readonly because: string;
}

const LOGIN_KEYWORDS: ReadonlySet<string> = new Set([
  "allowusers",
  "denyusers",
  "allowgroups",
  "denygroups",
  "refuseconnection",
]);

/** `groups: null` never lets a user in who must be in a group. */
export function loginOf(effective: Effective, connection: Connection, release: Release): LoginAnswer {
  const refusal = whyRefused(effective, connection, release);
  if (refusal !== null) return { login: "impossible", because: refusal };
  if (connection.user === "root" && valuesOf(effective, "permitrootlogin")[0] === "no") {
    return { login: "impossible", because: "PermitRootLogin is no" };
  }
  return { login: "possible", because: "nothing in the configuration refuses this login" };
}

function valuesOf(effective: Effective, keyword: string): readonly string[] {
  return effective.get(keyword)?.values ?? [];
}

/** In the order of auth.c: DenyUsers, AllowUsers, DenyGroups, AllowGroups. */
function whyRefused(effective: Effective, connection: Connection, release: Release): string | null {
  const { user } = connection;
  const named = (keyword: string): boolean =>
    valuesOf(effective, keyword).some((item) => userItemMatches(item, connection, release));
  const grouped = (keyword: string): boolean =>
    valuesOf(effective, keyword).some((pattern) =>
      (connection.groups ?? []).some((group) => matchPattern(group, pattern, release)),
    );
  if (valuesOf(effective, "refuseconnection")[0] === "yes") return "RefuseConnection is yes";
  if (named("denyusers")) return `DenyUsers names ${user}`;
  if (valuesOf(effective, "allowusers").length > 0 && !named("allowusers"))
    return `AllowUsers does not name ${user}`;
  if (grouped("denygroups")) return `DenyGroups names a group of ${user}`;
  if (valuesOf(effective, "allowgroups").length > 0 && !grouped("allowgroups")) {
    return `AllowGroups names no group of ${user}`;
  }
  return null;
}

/** `pattern` or `pattern@hosts` (match.c match_user): the last `@` divides from 9.9 on, the first before. */
function userItemMatches(item: string, { user, host, addr }: Connection, release: Release): boolean {
  if (user === null) return false;
  const at = atLeast(release, "9.9") ? item.lastIndexOf("@") : item.indexOf("@");
  if (at === -1) return matchPattern(user, item, release);
  if (!matchPattern(user, item.slice(0, at), release)) return false;
  const hosts = item.slice(at + 1);
  const byAddress =
    addr === null ? 0 : matchAddressList(addr, parseAddressList(hosts, release).items, release);
  if (byAddress === 1) return true;
  if (byAddress === -1) return false;
  return host !== null && matchHostList(host, parsePatternList(hosts), release) === 1;
}

/**
 * Asks for a scope: can somebody in it log in? The witness first, then people that the lists name. Without lists the
 * answer is certain; "impossible" is only said where no name that a list lets in lies in the scope.
 */
export function makeLoginQuestion(
  config: Config,
  searcher: Searcher,
  evaluated: Evaluated,
): (scope: Scope, witness: Connection | null) => LoginAnswer {
  const lists = config.directives.filter(({ keyword }) => LOGIN_KEYWORDS.has(keyword));
  const candidates = [...new Set(lists.flatMap(namesOf))].slice(0, 60);
  const judge = (connection: Connection): LoginAnswer => {
    const effective = evaluated(connection);
    if (!isAnswer(effective)) return { login: "impossible", because: effective.message };
    return loginOf(effective, connection, config.release);
  };
  const global = lists.every(({ guards }) => guards.length === 0);
  return (scope, witness) => {
    if (witness === null) return { login: "unknown", because: "no connection of this region is known" };
    const first = judge(witness);
    if (first.login === "possible") return first;
    for (const name of candidates) {
      for (const connection of variants(witness, name)) {
        if (isInside(searcher, scope, connection) && judge(connection).login === "possible") {
          return { login: "possible", because: `${connection.user} may log in` };
        }
      }
    }
    const isExact = global && lists.every(hasNoWildcards) && isFixedUser(searcher, scope);
    return isExact
      ? first
      : { login: "unknown", because: `${first.because}; others in this region may be let in` };
  };
}

function namesOf({ args }: Config["directives"][number]): string[] {
  return args
    .map(({ value }) => (value.split("@", 1)[0] ?? "").replace(/\*/g, "").replace(/\?/g, "x"))
    .filter((name) => name !== "");
}

function variants(witness: Connection, name: string): Connection[] {
  const groups = [...new Set([...(witness.groups ?? []), name])];
  return [
    { ...witness, user: name },
    { ...witness, groups },
    { ...witness, user: name, groups },
  ];
}

function hasNoWildcards({ args }: Config["directives"][number]): boolean {
  return args.every(({ value }) => !/[*?]/.test(value));
}

/** True where the scope fixes the user to names that were all tried: a user list without wildcards. */
function isFixedUser({ atoms }: Searcher, scope: Scope): boolean {
  return [...scope.met].some((index) => {
    const atom = atoms.list[index];
    return atom?.attribute === "user" && !/[*?,]/.test(atom.text);
  });
}

function isInside({ atoms }: Searcher, scope: Scope, connection: Connection): boolean {
  const holds = (atom: number): boolean => atoms.holds(atom, connection);
  return (
    [...scope.met].every(holds) &&
    ![...scope.missed].some(holds) &&
    !scope.without.some((guard) => guard.every(holds))
  );
}
