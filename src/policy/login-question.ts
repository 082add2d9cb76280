/** Can somebody in a set of connections log in? The witness first, then people that the lists name, or all accounts. */
import type { Release } from "../../grammar/release.ts";
import type { Directive } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import type { Connection } from "./connection.ts";
import { isWild } from "./holding.ts";
import {
  LOGIN_KEYWORDS,
  type LoginAnswer,
  POSSIBLE,
  type Refusal,
  refusalThrough,
  userPart,
} from "./login.ts";
import type { Reasoning } from "./reasoning.ts";
import { contains, type Scope, type Searcher, search } from "./search.ts";
import { NO_FIELDS } from "./specification.ts";
import { NOT_IN_NAMES } from "./worlds.ts";

/** Asks for a scope: can somebody in it log in? `witness` lies in it. */
export type LoginQuestion = (scope: Scope, witness: Connection | null) => LoginAnswer;

/**
 * Without lists the answer is certain; "impossible" is only said where nobody that a list lets in lies in the scope.
 */
export function makeLoginQuestion(reasoning: Reasoning): LoginQuestion {
  const { accounts, searcher } = reasoning;
  const lists = listsOf(reasoning);
  const isExact = accounts !== null && !lists.vary;
  const findOther = isExact ? amongAccounts(reasoning, lists, accounts) : amongPeople(reasoning, lists);
  const isCertain = accounts === null && !lists.vary ? certainty(reasoning, lists) : () => false;

  function ask(scope: Scope, witness: Connection): LoginAnswer {
    const first = lists.refusal(witness);
    if (first === null) return POSSIBLE;
    const impossible: LoginAnswer = { login: "impossible", because: first.because };
    if (isOfStrangers(searcher, scope)) return impossible;
    const other = findOther(scope, witness);
    if (isExact && other === null) return impossible;
    if (other !== null && lists.refusal(other) === null) return possibleFor(other);
    return isCertain(scope, witness)
      ? impossible
      : { login: "unknown", because: `${first.because}; others in this region may be let in` };
  }

  const answered = new Map<Scope, LoginAnswer>();
  return (scope, witness) => {
    if (witness === null) return { login: "unknown", because: "no connection of this region is known" };
    if (lists.lines.length === 0 && !witness.invalidUser) return POSSIBLE;
    const answer = answered.get(scope) ?? ask(scope, witness);
    answered.set(scope, answer);
    return answer;
  };
}

/** What decides who may log in. */
interface Lists {
  readonly lines: readonly Directive[];
  /** other lists count for some connections than for others */
  readonly vary: boolean;
  /** it depends on the place whether root may */
  readonly rootVaries: boolean;
  readonly refusal: (connection: Connection) => Refusal | null;
}

function listsOf({ config, reader }: Reasoning): Lists {
  const lines = config.directives.filter(({ keyword }) => LOGIN_KEYWORDS.has(keyword));
  const guarded = lines.filter(({ guards }) => guards.length > 0);
  return {
    lines,
    vary: guarded.some(({ keyword }) => keyword !== "permitrootlogin"),
    rootVaries: guarded.length > 0,
    refusal: (connection) => refusalThrough(reader, connection, config.release),
  };
}

/** A connection of the scope, of somebody who is not surely refused; null: there is none, or none was found. */
type FindOther = (scope: Scope, witness: Connection) => Connection | null;

/** People that the lists name, or the first accounts, at the place of the witness. */
function amongPeople(reasoning: Reasoning, { lines, refusal }: Lists): FindOther {
  const { accounts, searcher } = reasoning;
  // most files have lists that let the witness in
  let people: readonly Person[] | null = null;
  return (scope, witness) => {
    const only = fixedUser(searcher, scope);
    people ??= candidatesOf(reasoning, lines);
    const named = people.flatMap(({ name, groups }) =>
      accounts === null ? variants(witness, { name, groups }) : [{ ...witness, user: name, groups }],
    );
    const all = [...(accounts === null ? inOwnGroup(witness) : []), ...named];
    const isLetIn = (person: Connection): boolean =>
      (only === null || person.user === only) &&
      contains(searcher, scope, person) &&
      refusal(person) === null;
    return all.find(isLetIn) ?? null;
  };
}

/** Where the lists are the same for everybody: those of the accounts whom they may let in somewhere. Null is a proof. */
function amongAccounts(
  { searcher }: Reasoning,
  { refusal, rootVaries }: Lists,
  all: readonly Account[],
): FindOther {
  let perhaps: Searcher | null = null;
  return (scope, witness) => {
    perhaps ??= searcher.among(
      all.filter(({ name, groups }) => {
        const reach = refusal({ ...witness, user: name, groups })?.reach ?? "connection";
        return reach === "connection" || (rootVaries && name === "root");
      }),
    );
    const found = search(perhaps, scope);
    if (found.kind === "none") return null;
    return found.kind === "witness" ? found.connection : witness;
  };
}

/** Open world, the same lists for everybody: whether nobody whom they let in can lie in the scope. */
function certainty(
  { config, searcher }: Reasoning,
  { lines, rootVaries, refusal }: Lists,
): (scope: Scope, witness: Connection) => boolean {
  const admitted = namesLetIn(lines, config.release);
  return (scope, witness) => {
    const user = fixedUser(searcher, scope);
    const users = user === null ? admitted : [user];
    if (users === null || (rootVaries && users.includes("root"))) return false;
    return users.every(
      (name) => refusal({ ...witness, user: name })?.reach === "user" || isLeftOut(searcher, scope, name),
    );
  };
}

/** Whatever else is true of the connection: the name alone fulfils a condition that the scope is without. */
function isLeftOut(searcher: Searcher, { without }: Scope, name: string): boolean {
  return !contains(searcher, { met: [], without }, { ...NO_FIELDS, user: name });
}

/** Nobody but users that do not exist. */
function isOfStrangers({ atoms }: Searcher, { met }: Scope): boolean {
  return met.some((atom) => atoms.list[atom]?.attribute === "invalid-user");
}

function possibleFor(person: Connection): LoginAnswer {
  const names = [person.user ?? "", ...(person.groups ?? [])];
  const isWitness = !names.some((name) => NOT_IN_NAMES.test(name));
  const because = `${person.user} may log in`;
  return { login: "possible", because, ...(isWitness ? { admitted: person } : {}) };
}

type Person = Pick<Account, "name" | "groups">;

/** People tried for each region that refuses its witness. */
const MAX_PEOPLE = 60;
/** In the closed world, with lists inside blocks, accounts are tried one by one, up to this many. */
const MAX_ACCOUNTS = 2000;

function candidatesOf({ accounts }: Reasoning, lists: readonly Directive[]): readonly Person[] {
  if (accounts !== null) return accounts.slice(0, MAX_ACCOUNTS);
  const names = [...new Set(lists.flatMap(namesOf))].slice(0, MAX_PEOPLE);
  return names.map((name) => ({ name, groups: [name] }));
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

/** Somebody in no group, in the one that useradd makes for him: DenyGroups refuses who is in none. */
function inOwnGroup(witness: Connection): Connection[] {
  const { user, groups } = witness;
  return user !== null && groups?.length === 0 ? [{ ...witness, groups: [user] }] : [];
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
