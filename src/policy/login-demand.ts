/**
 * Who may log in, as criteria that the search knows: each item of the lists (OpenSSH auth.c allowed_user, match.c
 * match_user and match_host_and_ip, groupaccess.c ga_match), RefuseConnection and PermitRootLogin.
 */
import { type AddressItem, parseAddressList } from "../../grammar/addresses.ts";
import { matchHostList, parsePatternList, patternShape } from "../../grammar/patterns.ts";
import type { Release } from "../../grammar/release.ts";
import { onceFor } from "../../grammar/remember.ts";
import type { Config, Criterion, Directive } from "../config/config.ts";
import { effectiveLines } from "../config/keyword-lines.ts";
import { makeSource } from "../source/source.ts";
import { type Guard, shapedAddress } from "./atoms.ts";
import { NOT_OVER_IP } from "./connection.ts";
import { type Choice, type KeywordLines, usesDns } from "./deciders.ts";
import { allOf, type Demand, none, not, oneOf, settled, some } from "./demand.ts";
import { endingAll, endingItems, LISTS } from "./ending-lists.ts";
import { refusesLogins, userPart } from "./login.ts";
import { isOn, mayLackMethods, methodLists, SWITCHES } from "./methods.ts";
import type { Searcher } from "./search.ts";
import { asksFor } from "./specification.ts";
import { heeded } from "./theory-names.ts";

type Criteria = readonly Criterion[];

/** An item of a list: it names whoever one of `fits` holds for, and none of `vetoes`. */
interface Item {
  readonly fits: readonly Criteria[];
  readonly vetoes: readonly Criteria[];
}

interface Lists {
  readonly items: ReadonlyMap<Directive, readonly Item[]>;
  /** all criteria that an admission is made of */
  readonly sets: readonly Criteria[];
}

const place = { source: makeSource("", ""), start: 0, end: 0 };
const ROOT: Criteria = [named("user", ["root"])];
const IN_A_GROUP: Criteria = [named("group", ["*"])];
const STRANGERS: Criteria = [{ attribute: "invalid-user", place }];

export const loginLists: (config: Config) => Lists = onceFor((config) => {
  const { release } = config;
  const items = new Map<Directive, readonly Item[]>();
  const distinct = new Set<Item>();
  const read = (keyword: string, itemOf: (value: string) => Item): void => {
    const known = new Map<string, Item>();
    const once = (value: string): Item => {
      const item = known.get(value) ?? itemOf(value);
      known.set(value, item);
      distinct.add(item);
      return item;
    };
    for (const line of effectiveLines(config, keyword)) items.set(line, (line.values ?? []).map(once));
  };
  for (const keyword of ["denyusers", "allowusers"])
    read(keyword, (value) => userItem(value, release, usesDns(config)));
  for (const keyword of ["denygroups", "allowgroups"])
    read(keyword, (value) => ({ fits: [[named("group", [patternShape(value, release)])]], vetoes: [] }));
  const strangers = asksFor(config, "invalid-user") ? [STRANGERS] : [];
  if (!refusesLogins(config)) return { items, sets: strangers };
  const inItems = [...distinct].flatMap(({ fits, vetoes }) => [...fits, ...vetoes]);
  return { items, sets: [...strangers, ROOT, IN_A_GROUP, ...inItems] };
});

function named(attribute: "user" | "group" | "host", patterns: readonly string[]): Criterion {
  const items = patterns.map((pattern) => ({ negated: false, pattern }));
  return { attribute, place, text: patterns.join(), items };
}

/** `pattern` or `pattern@hosts`, which fit an address or a name, and neither may fit a negated one. */
function userItem(value: string, release: Release, byName: boolean): Item {
  const name = userPart(value, release);
  const user = named("user", [patternShape(name, release)]);
  if (name.length === value.length) return { fits: [[user]], vetoes: [] };
  const text = value.slice(name.length + 1);
  const addresses = parseAddressList(text, release).items;
  // one criterion for both: thousands of such items, each with its veto, would be asked one by one
  if (!byName && !isReadOtherwiseAsHosts(text, release)) {
    const items = addresses.map((item) => shapedAddress(item, release));
    return { fits: [[user, { attribute: "address", place, text, items }]], vetoes: [] };
  }
  const hosts = heeded(parsePatternList(text));
  const places = (sign: boolean): readonly Criterion[] => {
    const items = addresses.flatMap((item) => addressOf(item, sign, release));
    const names = hosts.flatMap(({ negated, pattern }) =>
      negated === sign ? [patternShape(pattern, release)] : [],
    );
    return [{ attribute: "address", place, text, items }, named("host", names)];
  };
  const isVetoed = addresses.some(({ negated }) => negated);
  return {
    fits: places(false).map((criterion) => [user, criterion]),
    vetoes: isVetoed ? places(true).map((criterion) => [criterion]) : [],
  };
}

/**
 * Where no names are looked up the host is the text of the address, so that the list of hosts holds nothing that the list
 * of addresses does not, but for text with capitals, and for a client without an address.
 */
function isReadOtherwiseAsHosts(text: string, release: Release): boolean {
  return /[A-Z]/.test(text) || matchHostList(NOT_OVER_IP.host, parsePatternList(text), release) !== 0;
}

function addressOf(item: AddressItem, negated: boolean, release: Release): readonly AddressItem[] {
  return item.negated === negated ? [{ ...shapedAddress(item, release), negated: false }] : [];
}

/** What it takes to log in. */
export interface Admission {
  readonly exists: Demand;
  /** of the user and of where he comes from */
  readonly user: Demand;
  readonly groups: Demand;
}

export function admissionOf(from: Rules): Admission {
  const [deniedUsers, users] = [listOf(from, "denyusers"), listOf(from, "allowusers")];
  const [deniedGroups, groups] = [listOf(from, "denygroups"), listOf(from, "allowgroups")];
  const isRoot = holds(from, [ROOT]);
  const mayBeRoot = decides(from.linesOf("permitrootlogin"), ({ values: [value] }) => value !== "no");
  return {
    exists: not(holds(from, [STRANGERS])),
    user: allOf(
      not(ended(from)),
      decides(from.linesOf("refuseconnection"), ({ values: [value] }) => value !== "yes"),
      not(deniedUsers.names),
      oneOf(not(users.isSet), users.names),
      oneOf(not(isRoot), mayBeRoot),
      hasMethod(from),
    ),
    groups: allOf(
      oneOf(not(deniedGroups.isSet), allOf(holds(from, [IN_A_GROUP]), not(deniedGroups.names))),
      oneOf(not(groups.isSet), groups.names),
    ),
  };
}

function ended({ config, linesOf }: Rules): Demand {
  const items = endingItems(config);
  if (items.size === 0) return settled(false);
  const byLists = LISTS.map(({ keyword }) =>
    endingAll(config, keyword) === null
      ? decides(linesOf(keyword), ({ directive }) => directive !== null && items.has(directive))
      : settled(true),
  );
  return oneOf(...byLists);
}

/** Whatever line says which methods it takes, one of its lists has only such that are on. */
function hasMethod({ config, linesOf }: Rules): Demand {
  if (!mayLackMethods(config)) return settled(true);
  const isEnabled = (keyword: string): Demand => decides(linesOf(keyword), ({ values }) => isOn(values));
  const lines = linesOf("authenticationmethods");
  const lacking = [...lines.guarded, lines.otherwise].map((choice) => {
    const lists = methodLists(choice.values) ?? SWITCHES.map((keyword) => [keyword]);
    const isSatisfied = oneOf(...lists.map((list) => allOf(...list.map(isEnabled))));
    return allOf(
      not(isSatisfied),
      decides(lines, (deciding) => deciding === choice),
    );
  });
  return not(oneOf(...lacking));
}

interface Rules {
  readonly config: Config;
  readonly searcher: Searcher;
  linesOf(keyword: string): KeywordLines;
}

const NOT_SET: { readonly isSet: Demand; readonly names: Demand } = {
  isSet: settled(false),
  names: settled(false),
};

/** Lists add up: those of all blocks that hold, else the global ones. */
function listOf(from: Rules, keyword: string): { readonly isSet: Demand; readonly names: Demand } {
  const { guarded, sequence, otherwise, shadowedGlobals } = from.linesOf(keyword);
  if (guarded.length === 0 && otherwise.directive === null) return NOT_SET;
  const globals = otherwise.directive === null ? [] : [otherwise.directive, ...shadowedGlobals];
  const inBlocks = guarded.map(({ directive }) => directive);
  return {
    isSet: globals.length > 0 ? allOf() : some(sequence),
    names: oneOf(naming(from, inBlocks), allOf(none(sequence), naming(from, globals))),
  };
}

/** The blocks of one of the lines hold, and one of its items names the connection. */
function naming({ config, searcher }: Rules, lines: readonly Directive[]): Demand {
  const { items } = loginLists(config);
  const guards: Guard[] = [];
  const vetoed: Demand[] = [];
  for (const line of lines) {
    const around = searcher.atoms.guardOf(line) ?? [];
    for (const { fits, vetoes } of items.get(line) ?? []) {
      const fitting = guardsOf(searcher, fits, around);
      if (vetoes.length === 0) for (const guard of fitting) guards.push(guard);
      else vetoed.push(allOf(some(searcher.sequenceOf(fitting)), not(holds({ searcher }, vetoes))));
    }
  }
  return oneOf(some(searcher.sequenceOf(guards)), ...vetoed);
}

function holds({ searcher }: Pick<Rules, "searcher">, sets: readonly Criteria[]): Demand {
  return some(searcher.sequenceOf(guardsOf(searcher, sets, [])));
}

function guardsOf({ atoms }: Searcher, sets: readonly Criteria[], around: Guard): readonly Guard[] {
  return sets.flatMap((criteria) => {
    const guard = atoms.guardOfSet(criteria);
    if (guard === null) return [];
    return [around.length === 0 ? guard : [...new Set([...guard, ...around])].sort((a, b) => a - b)];
  });
}

/** The line that decides has such a value. */
function decides({ guarded, sequence, otherwise }: KeywordLines, fits: (choice: Choice) => boolean): Demand {
  if (guarded.length === 0) return settled(fits(otherwise));
  return { kind: "first", sequence, fits: (position) => fits(guarded[position] ?? otherwise) };
}
