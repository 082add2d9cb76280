/**
 * Which criteria hold for a connection: an index narrows them to a few, and the pattern matcher decides. Remembered for
 * each value of an attribute.
 */
import { type Address, matchAddressList, parseAddress } from "../../grammar/addresses.ts";
import { lowerAscii } from "../../grammar/ascii.ts";
import { matchPatternList, type PatternItem } from "../../grammar/patterns.ts";
import type { Atom } from "./atoms.ts";
import type { Connection } from "./connection.ts";

export type Attribute = Atom["attribute"];

/** The criteria that hold, by attribute. */
export type Profile = Readonly<Record<Attribute, ReadonlySet<number>>>;

export interface Holding {
  profileOf(connection: Connection): Profile;
  /** criteria of a user name or host name that hold for this value */
  ofName(attribute: "user" | "host", value: string): ReadonlySet<number>;
  ofPort(port: number): ReadonlySet<number>;
}

const NONE: ReadonlySet<number> = new Set();

export function isWild(pattern: string): boolean {
  return pattern.includes("*") || pattern.includes("?");
}

/** Literal text → criteria with that positive item; lists with a positive wildcard are tested one by one. */
interface Candidates {
  readonly byKey: Map<string, number[]>;
  readonly others: number[];
  /** address criteria: the network lengths in use, by size in bytes */
  readonly lengths: Map<number, Set<number>>;
}

export function makeHolding(atoms: readonly Atom[]): Holding {
  const index = indexAtoms(atoms);
  const remembered = new Map<string, ReadonlySet<number>>();
  const remember = (key: string, compute: () => ReadonlySet<number>): ReadonlySet<number> => {
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const computed = compute();
    remembered.set(key, computed);
    return computed;
  };
  const items = (atom: number): readonly PatternItem[] => {
    const found = atoms[atom];
    return found?.attribute === "user" || found?.attribute === "group" || found?.attribute === "host"
      ? found.items
      : [];
  };
  const ofName = (attribute: "user" | "host", value: string): ReadonlySet<number> =>
    remember(`${attribute} ${value}`, () =>
      select(index[attribute], [value], (atom) => matchPatternList(value, items(atom)) === 1),
    );
  const ofGroups = (groups: readonly string[]): ReadonlySet<number> =>
    remember(`group ${groups.join()}`, () =>
      select(index.group, groups, (atom) => groupsFit(groups, items(atom))),
    );
  const ofAddress = (attribute: "address" | "localaddress", text: string): ReadonlySet<number> =>
    remember(`${attribute} ${text}`, () => {
      const address = parseAddress(text);
      if (address === null) return NONE;
      const keys = networkKeys(index[attribute], address);
      return select(index[attribute], keys, (atom) => {
        const found = atoms[atom];
        return found?.attribute === attribute && matchAddressList(text, found.items) === 1;
      });
    });
  const ofPort = (port: number): ReadonlySet<number> =>
    new Set(index.localport.byKey.get(String(port)) ?? []);
  return {
    ofName,
    ofPort,
    profileOf: ({ user, groups, host, addr, laddr, lport, invalidUser }) => ({
      user: user === null ? NONE : ofName("user", user),
      group: groups === null ? NONE : ofGroups(groups),
      host: host === null ? NONE : ofName("host", lowerAscii(host)),
      address: addr === null ? NONE : ofAddress("address", addr),
      localaddress: laddr === null ? NONE : ofAddress("localaddress", laddr),
      localport: lport === null ? NONE : ofPort(lport),
      "invalid-user": invalidUser ? new Set(index["invalid-user"].others) : NONE,
    }),
  };
}

function select(
  { byKey, others }: Candidates,
  keys: readonly string[],
  holds: (atom: number) => boolean,
): ReadonlySet<number> {
  const found = new Set<number>();
  for (const key of keys) for (const atom of byKey.get(key) ?? []) if (holds(atom)) found.add(atom);
  for (const atom of others) if (holds(atom)) found.add(atom);
  return found;
}

/** groupaccess.c ga_match_pattern_list: one group on a negated item ends it. */
function groupsFit(groups: readonly string[], items: readonly PatternItem[]): boolean {
  const results = groups.map((group) => matchPatternList(group, items));
  return results.includes(1) && !results.includes(-1);
}

function indexAtoms(atoms: readonly Atom[]): Readonly<Record<Attribute, Candidates>> {
  const empty = (): Candidates => ({ byKey: new Map(), others: [], lengths: new Map() });
  const index: Record<Attribute, Candidates> = {
    user: empty(),
    group: empty(),
    host: empty(),
    address: empty(),
    localaddress: empty(),
    localport: empty(),
    "invalid-user": empty(),
  };
  for (const [number, atom] of atoms.entries()) {
    const candidates = index[atom.attribute];
    const keys = keysOf(atom, candidates);
    if (keys === null) candidates.others.push(number);
    // a list that names something twice must not count twice
    for (const key of new Set(keys)) push(candidates.byKey, key, number);
  }
  return index;
}

/** Null: a list that no index narrows. */
function keysOf(atom: Atom, { lengths }: Candidates): string[] | null {
  switch (atom.attribute) {
    case "invalid-user":
      return null;
    case "localport":
      return [String(atom.port)];
    case "user":
    case "group":
    case "host": {
      const positive = atom.items.filter(({ negated }) => !negated).map(({ pattern }) => pattern);
      return positive.some(isWild) ? null : positive;
    }
    default: {
      const keys: string[] = [];
      for (const item of atom.items) {
        if (item.negated) continue;
        if (item.kind !== "network" || item.network.scope !== "0") return null;
        const { bytes, length } = item.network;
        const used = lengths.get(bytes.length) ?? new Set();
        lengths.set(bytes.length, used.add(length));
        keys.push(networkKey(bytes, length));
      }
      return keys;
    }
  }
}

function networkKey(bytes: readonly number[], length: number): string {
  const whole = length >> 3;
  const rest = length & 7;
  const partial = rest === 0 ? "" : `.${(bytes[whole] ?? 0) >> (8 - rest)}`;
  return `${bytes.length}/${length} ${bytes.slice(0, whole).join(".")}${partial}`;
}

function networkKeys({ lengths }: Candidates, { bytes, scope }: Address): string[] {
  if (scope !== "0") return [];
  return [...(lengths.get(bytes.length) ?? [])].map((length) => networkKey(bytes, length));
}

export function push<Key>(map: Map<Key, number[]>, key: Key, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
