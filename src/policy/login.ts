/**
 * Who may log in at all, beside the grant and never part of it: AllowUsers, DenyUsers, AllowGroups, DenyGroups,
 * PermitRootLogin and RefuseConnection (OpenSSH auth.c allowed_user, auth_root_allowed).
 */
import { matchAddressList, parseAddressList } from "../../grammar/addresses.ts";
import { matchHostList, matchPattern, parsePatternList } from "../../grammar/patterns.ts";
import { atLeast, type Release } from "../../grammar/release.ts";
import type { Directive } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import type { Connection } from "./connection.ts";
import type { Effective } from "./evaluate.ts";
import { isWild } from "./holding.ts";
import type { Reader } from "./reader.ts";
import type { Reasoning } from "./reasoning.ts";
import { contains, type Scope, type Searcher } from "./search.ts";
import { NOT_IN_NAMES } from "./worlds.ts";

export interface LoginAnswer {
  readonly login: "possible" | "impossible" | "unknown";
  readonly because: string;
  /** a connection of the scope that may log in, where the witness that was given may not */
  readonly admitted?: Connection;
}

const LOGIN_KEYWORDS: ReadonlySet<string> = new Set([
  "allowusers",
  "denyusers",
  "allowgroups",
  "denygroups",
  "refuseconnection",
  "permitrootlogin",
]);

type ValuesOf = (keyword: string) => readonly string[];

/** `groups: null` never lets a user in who must be in a group. */
export function loginOf(effective: Effective, connection: Connection, release: Release): LoginAnswer {
  return judge((keyword) => effective.get(keyword)?.values ?? [], connection, release);
}

/** The same for many connections; where sshd ends the connection nobody logs in. */
export function loginThrough(reader: Reader, connection: Connection, release: Release): LoginAnswer["login"] {
  if (reader.read(connection, "permitrootlogin") === null) return "impossible";
  return judge((keyword) => reader.read(connection, keyword)?.values ?? [], connection, release).login;
}

interface Judged extends LoginAnswer {
  /** the user is refused from anywhere and with any groups */
  readonly surely: boolean;
}

function judge(valuesOf: ValuesOf, connection: Connection, release: Release): Judged {
  const refusal = whyRefused(valuesOf, connection, release);
  if (refusal !== null) return { login: "impossible", ...refusal };
  if (connection.user === "root" && valuesOf("permitrootlogin")[0] === "no")
    return { login: "impossible", because: "PermitRootLogin is no", surely: true };
  return POSSIBLE;
}

const POSSIBLE: Judged = {
  login: "possible",
  because: "nothing in the configuration refuses this login",
  surely: false,
};

/** In the order of auth.c: DenyUsers, AllowUsers, DenyGroups, AllowGroups. */
function whyRefused(
  valuesOf: ValuesOf,
  connection: Connection,
  release: Release,
): Omit<Judged, "login"> | null {
  const { user, groups } = connection;
  if (valuesOf("refuseconnection")[0] === "yes") return { because: "RefuseConnection is yes", surely: true };
  const matches = (item: string): boolean => userItemMatches(item, connection, release);
  const isAbout = (item: string): boolean => matchPattern(user ?? "", userPart(item, release), release);
  const denied = valuesOf("denyusers").filter(matches);
  if (denied.length > 0)
    return { because: `DenyUsers names ${user}`, surely: denied.some((item) => !item.includes("@")) };
  const allowed = valuesOf("allowusers");
  if (allowed.length > 0 && !allowed.some(matches))
    return { because: `AllowUsers does not name ${user}`, surely: !allowed.some(isAbout) };
  const isIn = (pattern: string): boolean =>
    (groups ?? []).some((group) => matchPattern(group, pattern, release));
  if (valuesOf("denygroups").some(isIn))
    return { because: `DenyGroups names a group of ${user}`, surely: false };
  const allowedGroups = valuesOf("allowgroups");
  if (allowedGroups.length > 0 && !allowedGroups.some(isIn))
    return { because: `AllowGroups names no group of ${user}`, surely: false };
  return null;
}

/** The last `@` divides from 9.9 on, the first before (match.c match_user). */
function userPart(item: string, release: Release): string {
  const at = atLeast(release, "9.9") ? item.lastIndexOf("@") : item.indexOf("@");
  return at === -1 ? item : item.slice(0, at);
}

/** `pattern` or `pattern@hosts` (match.c match_user). */
function userItemMatches(item: string, { user, host, addr }: Connection, release: Release): boolean {
  const name = userPart(item, release);
  if (user === null || !matchPattern(user, name, release)) return false;
  if (name.length === item.length) return true;
  const hosts = item.slice(name.length + 1);
  const byAddress =
    addr === null ? 0 : matchAddressList(addr, parseAddressList(hosts, release).items, release);
  if (byAddress === 1) return true;
  if (byAddress === -1) return false;
  return host !== null && matchHostList(host, parsePatternList(hosts), release) === 1;
}

/** Asks for a scope: can somebody in it log in? `witness` lies in it. */
export type LoginQuestion = (scope: Scope, witness: Connection | null) => LoginAnswer;

/**
 * The witness first, then people that the lists name. Without lists the answer is certain; "impossible" is only said
 * where nobody that a list lets in lies in the scope.
 */
export function makeLoginQuestion(reasoning: Reasoning): LoginQuestion {
  const { accounts, config, reader, searcher } = reasoning;
  const lists = config.directives.filter(({ keyword }) => LOGIN_KEYWORDS.has(keyword));
  let people: readonly Person[] | null = null;
  const judgeOne = (connection: Connection): Judged =>
    judge((keyword) => reader.read(connection, keyword)?.values ?? [], connection, config.release);
  const letIn = (scope: Scope, witness: Connection): Connection | undefined => {
    const only = fixedUser(searcher, scope);
    // most files have lists that let the witness in
    people ??= candidatesOf(reasoning, lists);
    return people
      .flatMap(({ name, groups }) =>
        accounts === null ? variants(witness, { name, groups }) : [{ ...witness, user: name, groups }],
      )
      .filter(({ user }) => only === null || user === only)
      .find((person) => contains(searcher, scope, person) && judgeOne(person).login === "possible");
  };
  const certainty = makeCertainty(reasoning, lists);
  const answered = new Map<Scope, LoginAnswer>();
  return (scope, witness) => {
    if (witness === null) return { login: "unknown", because: "no connection of this region is known" };
    if (lists.length === 0) return POSSIBLE;
    const answer = answered.get(scope) ?? ask(scope, witness);
    answered.set(scope, answer);
    return answer;
  };
  function ask(scope: Scope, witness: Connection): LoginAnswer {
    const first = judgeOne(witness);
    if (first.login === "possible") return first;
    const other = letIn(scope, witness);
    if (other !== undefined) {
      const because = `${other.user} may log in`;
      const names = [other.user ?? "", ...(other.groups ?? [])];
      const isWitness = !names.some((name) => NOT_IN_NAMES.test(name));
      return { login: "possible", because, ...(isWitness ? { admitted: other } : {}) };
    }
    return certainty(scope, (user) => judgeOne({ ...witness, user }).surely)
      ? first
      : { login: "unknown", because: `${first.because}; others in this region may be let in` };
  }
}

type Person = Pick<Account, "name" | "groups">;

/** People tried for each region that refuses its witness. */
const MAX_PEOPLE = 60;
/** In the closed world everybody is tried, up to this many. */
const MAX_ACCOUNTS = 2000;

function candidatesOf({ accounts }: Reasoning, lists: readonly Directive[]): readonly Person[] {
  if (accounts !== null) return accounts.slice(0, MAX_ACCOUNTS);
  const names = [...new Set(lists.flatMap(namesOf))].slice(0, MAX_PEOPLE);
  return names.map((name) => ({ name, groups: [name] }));
}

/** Whether a miss among the candidates proves that nobody of a scope is let in. */
function makeCertainty(
  { accounts, config, searcher }: Reasoning,
  lists: readonly Directive[],
): (scope: Scope, isSurelyRefused: (user: string) => boolean) => boolean {
  const guarded = lists.filter(({ guards }) => guards.length > 0);
  if (guarded.some(({ keyword }) => keyword !== "permitrootlogin")) return () => false;
  // then it depends on the place whether root may
  const rootVaries = guarded.length > 0;
  const isPlain = lists.every(({ args }) =>
    args.every(({ value }) => !isWild(value) && !value.includes("@")),
  );
  if (accounts !== null) return () => isPlain && !rootVaries && accounts.length <= MAX_ACCOUNTS;
  const admitted = namesLetIn(lists, config.release);
  return (scope, isSurelyRefused) => {
    const user = fixedUser(searcher, scope);
    const users = user === null ? admitted : [user];
    if (users === null || (rootVaries && users.includes("root"))) return false;
    return users.every(isSurelyRefused);
  };
}

/** The only names that AllowUsers lets in; null: it is not set, or has wildcards. */
function namesLetIn(lists: readonly Directive[], release: Release): readonly string[] | null {
  const items = lists.filter(({ keyword }) => keyword === "allowusers").flatMap(({ values }) => values ?? []);
  const names = items.map((item) => userPart(item, release));
  return names.length === 0 || names.some(isWild) ? null : names;
}

function namesOf({ args }: Directive): string[] {
  return args
    .map(({ value }) => (value.split("@", 1)[0] ?? "").replace(/\*/g, "").replace(/\?/g, "x"))
    .filter((name) => name !== "");
}

/** Names of the lists, each as a user and as a group of his. */
function variants(witness: Connection, { name, groups }: Person): Connection[] {
  if (witness.groups === null) return [{ ...witness, user: name }];
  const more = [...new Set([...witness.groups, ...groups])];
  return [
    { ...witness, user: name },
    { ...witness, groups: more },
    { ...witness, groups },
    { ...witness, user: name, groups: more },
    { ...witness, user: name, groups },
  ];
}

/** The one name that the scope fixes the user to; null: none, or several. */
function fixedUser({ atoms }: Searcher, { met }: Scope): string | null {
  for (const index of met) {
    const atom = atoms.list[index];
    if (atom?.attribute === "user" && !isWild(atom.text) && !atom.text.includes(",")) return atom.text;
  }
  return null;
}
