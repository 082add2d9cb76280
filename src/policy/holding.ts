/**
 * Which criteria hold for a connection: an index narrows them to a few, and the pattern matcher decides. Remembered for
 * each value of an attribute.
 */
import { type Address, matchAddressList, parseAddress } from "../../grammar/addresses.ts";
import { lowerAscii } from "../../grammar/ascii.ts";
import { matchPatternList, type PatternItem } from "../../grammar/patterns.ts";
import type { Atom, Guard } from "./atoms.ts";
import type { Connection } from "./connection.ts";
import { networkBits } from "./network-bits.ts";

type Attribute = Atom["attribute"];

/** The criteria that hold, as one set for each attribute that has any. */
export type Held = readonly ReadonlySet<number>[];

/** Whether all criteria of a guard hold. */
export function holds(guard: Guard, held: Held): boolean {
  for (let at = 0; at < guard.length; at++) if (!isHeld(guard[at] ?? -1, held)) return false;
  return true;
}

function isHeld(atom: number, held: Held): boolean {
  for (let at = 0; at < held.length; at++) if (held[at]?.has(atom) === true) return true;
  return false;
}

export interface Holding {
  heldBy(connection: Connection): Held;
  /** criteria of a user name or host name that hold for this value */
  ofName(attribute: "user" | "host", value: string): ReadonlySet<number>;
  ofPort(port: number): ReadonlySet<number>;
}

const NONE: ReadonlySet<number> = new Set();

export function isWild(pattern: string): boolean {
  return pattern.includes("*") || pattern.includes("?");
}

/** A text that a value must have → criteria with such a positive item; lists without are tested one by one. */
interface Candidates {
  /** no criterion is about this attribute */
  readonly isEmpty: boolean;
  readonly byKey: Map<string, number[]>;
  readonly others: number[];
  readonly lengths: KeyLengths;
}

/** Of the keys in use: networks as bits, and the fixed beginnings, ends and inner texts of patterns. */
interface KeyLengths {
  readonly bits: Set<number>;
  readonly heads: Set<number>;
  readonly tails: Set<number>;
  readonly inner: Set<number>;
}

export function makeHolding(atoms: readonly Atom[]): Holding {
  const index = indexAtoms(atoms);
  const names = {
    user: new Map<string, ReadonlySet<number>>(),
    host: new Map<string, ReadonlySet<number>>(),
  };
  const addresses = {
    address: new Map<string, ReadonlySet<number>>(),
    localaddress: new Map<string, ReadonlySet<number>>(),
  };
  const groupSets = new Map<string, ReadonlySet<number>>();
  const items = (atom: number): readonly PatternItem[] => {
    const found = atoms[atom];
    return found?.attribute === "user" || found?.attribute === "group" || found?.attribute === "host"
      ? found.items
      : [];
  };
  const ofName = (attribute: "user" | "host", value: string): ReadonlySet<number> =>
    remember(names[attribute], value, () =>
      select(
        index[attribute],
        nameKeys(index[attribute].lengths, value),
        (atom) => matchPatternList(value, items(atom)) === 1,
      ),
    );
  const ofGroups = (groups: readonly string[]): ReadonlySet<number> =>
    remember(groupSets, groups.join("\0"), () =>
      select(
        index.group,
        groups.flatMap((group) => nameKeys(index.group.lengths, group)),
        (atom) => groupsFit(groups, items(atom)),
      ),
    );
  const ofAddress = (attribute: "address" | "localaddress", text: string): ReadonlySet<number> =>
    remember(addresses[attribute], text, () => {
      const address = parseAddress(text);
      if (address === null) return NONE;
      const keys = addressKeys(index[attribute].lengths, address);
      return select(index[attribute], keys, (atom) => {
        const found = atoms[atom];
        return found?.attribute === attribute && matchAddressList(text, found.items) === 1;
      });
    });
  const ofPort = (port: number): ReadonlySet<number> => {
    const held = index.localport.byKey.get(String(port));
    return held === undefined ? NONE : new Set(held);
  };
  return {
    ofName,
    ofPort,
    heldBy: ({ user, groups, host, addr, laddr, lport, invalidUser }) => {
      const held: ReadonlySet<number>[] = [];
      if (user !== null && !index.user.isEmpty) add(held, ofName("user", user));
      if (groups !== null && groups.length > 0 && !index.group.isEmpty) add(held, ofGroups(groups));
      if (host !== null && !index.host.isEmpty) add(held, ofName("host", lowerAscii(host)));
      if (addr !== null && !index.address.isEmpty) add(held, ofAddress("address", addr));
      if (laddr !== null && !index.localaddress.isEmpty) add(held, ofAddress("localaddress", laddr));
      if (lport !== null && !index.localport.isEmpty) add(held, ofPort(lport));
      if (invalidUser) add(held, new Set(index["invalid-user"].others));
      return held;
    },
  };
}

function add(held: ReadonlySet<number>[], atoms: ReadonlySet<number>): void {
  if (atoms.size > 0) held.push(atoms);
}

function remember(
  known: Map<string, ReadonlySet<number>>,
  key: string,
  compute: () => ReadonlySet<number>,
): ReadonlySet<number> {
  const found = known.get(key) ?? compute();
  known.set(key, found);
  return found;
}

function select(
  { byKey, others }: Candidates,
  keys: readonly string[],
  isHeld: (atom: number) => boolean,
): ReadonlySet<number> {
  const found = new Set<number>();
  for (const key of keys) for (const atom of byKey.get(key) ?? []) if (isHeld(atom)) found.add(atom);
  for (const atom of others) if (isHeld(atom)) found.add(atom);
  return found.size === 0 ? NONE : found;
}

/** groupaccess.c ga_match_pattern_list: one group on a negated item ends it. */
function groupsFit(groups: readonly string[], items: readonly PatternItem[]): boolean {
  const results = groups.map((group) => matchPatternList(group, items));
  return results.includes(1) && !results.includes(-1);
}

function noCandidates(isEmpty: boolean): Candidates {
  const lengths = {
    bits: new Set<number>(),
    heads: new Set<number>(),
    tails: new Set<number>(),
    inner: new Set<number>(),
  };
  return { isEmpty, byKey: new Map(), others: [], lengths };
}

/** Of most attributes no criterion asks. */
const NO_CANDIDATES = noCandidates(true);

function indexAtoms(atoms: readonly Atom[]): Readonly<Record<Attribute, Candidates>> {
  const index: Record<Attribute, Candidates> = {
    user: NO_CANDIDATES,
    group: NO_CANDIDATES,
    host: NO_CANDIDATES,
    address: NO_CANDIDATES,
    localaddress: NO_CANDIDATES,
    localport: NO_CANDIDATES,
    "invalid-user": NO_CANDIDATES,
  };
  for (let number = 0; number < atoms.length; number++) {
    const atom = atoms[number];
    if (atom === undefined) continue;
    if (index[atom.attribute].isEmpty) index[atom.attribute] = noCandidates(false);
    const candidates = index[atom.attribute];
    const keys = keysOf(atom, candidates.lengths);
    if (keys === null) candidates.others.push(number);
    // a list that names something twice must not count twice
    else if (keys.length < 2) for (const key of keys) push(candidates.byKey, key, number);
    else for (const key of new Set(keys)) push(candidates.byKey, key, number);
  }
  return index;
}

/** Null: a list that no index narrows. */
function keysOf(atom: Atom, lengths: KeyLengths): string[] | null {
  switch (atom.attribute) {
    case "invalid-user":
      return null;
    case "localport":
      return [String(atom.port)];
    case "user":
    case "group":
    case "host": {
      const keys: string[] = [];
      for (const { negated, pattern } of atom.items) {
        const key = negated ? undefined : patternKey(pattern, lengths);
        if (key === null) return null;
        if (key !== undefined) keys.push(key);
      }
      return keys;
    }
    default: {
      const keys: string[] = [];
      for (const item of atom.items) {
        if (item.negated) continue;
        if (item.kind !== "network" || item.network.scope !== "0") return null;
        const bits = networkBits(item.network);
        lengths.bits.add(bits.length);
        keys.push(bits);
      }
      return keys;
    }
  }
}

/** Longer texts are cut, so that a long value has few keys. */
const MOST_OF_ENDS = 8;
const MOST_OF_INNER = 4;

/** What a name must be, begin with, end with or hold to fit; null: nothing is fixed. */
function patternKey(pattern: string, lengths: KeyLengths): string | null {
  const wild = /[*?]/.exec(pattern);
  if (wild === null) return `=${pattern}`;
  if (wild.index > 0) return keyed("<", pattern.slice(0, Math.min(wild.index, MOST_OF_ENDS)), lengths.heads);
  const runs = pattern.split(/[*?]+/);
  const tail = runs.at(-1) ?? "";
  if (tail !== "") return keyed(">", tail.slice(-MOST_OF_ENDS), lengths.tails);
  const inner = runs.find((run) => run.length >= MOST_OF_INNER) ?? runs.find((run) => run !== "");
  return inner === undefined ? null : keyed("~", inner.slice(0, MOST_OF_INNER), lengths.inner);
}

function keyed(kind: string, text: string, lengths: Set<number>): string {
  lengths.add(text.length);
  return kind + text;
}

function nameKeys({ heads, tails, inner }: KeyLengths, name: string): string[] {
  const keys = [`=${name}`];
  for (const length of heads) if (length <= name.length) keys.push(`<${name.slice(0, length)}`);
  for (const length of tails) if (length <= name.length) keys.push(`>${name.slice(-length)}`);
  for (const length of inner)
    for (let at = 0; at + length <= name.length; at++) keys.push(`~${name.slice(at, at + length)}`);
  return keys;
}

function addressKeys({ bits }: KeyLengths, { bytes, scope }: Address): string[] {
  if (scope !== "0") return [];
  const all = networkBits({ bytes, length: bytes.length * 8 });
  return [...bits].map((length) => all.slice(0, length));
}

export function push<Key>(map: Map<Key, number[]>, key: Key, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
