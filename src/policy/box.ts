/**
 * A box: criteria that must hold and criteria that must not. Inside one world (does the user exist, is the host the text
 * of the address) the attributes are independent, so a sample is one value for each of them.
 */
import { lowerAscii } from "../../grammar/ascii.ts";
import type { PatternItem } from "../../grammar/patterns.ts";
import type { Account } from "../files/tree.ts";
import type { Atom, Atoms } from "./atoms.ts";
import type { Connection } from "./connection.ts";
import { findAddress, type TextConstraint } from "./theory-addresses.ts";
import { findGroups } from "./theory-groups.ts";
import { type Found, findName, type NameDomain } from "./theory-names.ts";

export interface Box {
  readonly met: ReadonlySet<number>;
  readonly missed: ReadonlySet<number>;
}

/** What may exist, beyond what the configuration says. */
export interface World {
  /** null: anybody, with any groups */
  readonly accounts: readonly Account[] | null;
  /** UseDNS yes: the host may be a name */
  readonly namedHosts: boolean;
}

export type Sampler = (box: Box) => Found<Connection>;

const USERS = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
const GROUPS = ["users", "staff", "people", "team"];
const HOSTS = ["client.example.com", "host.example.net", "laptop.example.org"];
const ADDRESSES = ["198.51.100.7", "203.0.113.9", "10.0.0.5", "192.168.1.7", "2001:db8::1"];
const SERVERS = ["192.0.2.1", "10.0.0.1", "2001:db8::2"];
const PORTS = [22, 2222, 10022, 1022];

/** Names: bytes without NUL, LF, `:` and `/`; witnesses hold no comma, which -C cannot carry, and no blanks. */
const NOT_IN_NAMES = /[\0-\x20:/,\x7f]/;

export function makeSampler(atoms: Atoms, world: World): Sampler {
  const memory = new Map<string, Found<unknown>>();
  const remember = <Value>(key: string, compute: () => Found<Value>): Found<Value> => {
    const known = memory.get(key);
    if (known !== undefined) return known as Found<Value>;
    const found = compute();
    memory.set(key, found);
    return found;
  };
  return (box) => {
    for (const atom of box.met) if (box.missed.has(atom)) return { kind: "none" };
    const parts = splitByAttribute(atoms, box);
    const tries =
      world.accounts === null
        ? openWorld(atoms, parts, remember)
        : closedWorld(atoms, parts, world.accounts, remember);
    return withPlace(atoms, parts, world, tries, remember);
  };
}

type Remember = <Value>(key: string, compute: () => Found<Value>) => Found<Value>;

interface Part {
  readonly met: number[];
  readonly missed: number[];
}

type Parts = Readonly<Record<Atom["attribute"], Part>>;

function splitByAttribute(atoms: Atoms, box: Box): Parts {
  const empty = (): Part => ({ met: [], missed: [] });
  const parts: Parts = {
    user: empty(),
    group: empty(),
    host: empty(),
    address: empty(),
    localaddress: empty(),
    localport: empty(),
    "invalid-user": empty(),
  };
  for (const index of box.met) parts[atoms.list[index]?.attribute ?? "user"].met.push(index);
  for (const index of box.missed) parts[atoms.list[index]?.attribute ?? "user"].missed.push(index);
  return parts;
}

function keyOf(kind: string, part: Part): string {
  return `${kind} ${[...part.met].sort().join(",")}|${[...part.missed].sort().join(",")}`;
}

function patternsOf(atoms: Atoms, indexes: readonly number[]): (readonly PatternItem[])[] {
  return indexes.flatMap((index) => {
    const atom = atoms.list[index];
    return atom !== undefined &&
      (atom.attribute === "user" || atom.attribute === "group" || atom.attribute === "host")
      ? [atom.items]
      : [];
  });
}

function domain(atoms: Atoms, nice: readonly string[]): NameDomain {
  return { release: atoms.release, nice, forbidden: NOT_IN_NAMES };
}

interface Person {
  readonly user: string;
  readonly groups: readonly string[] | null;
  readonly invalidUser: boolean;
}

function openWorld(atoms: Atoms, parts: Parts, remember: Remember): Found<Person> {
  const user = remember(keyOf("user", parts.user), () => {
    const constraints = [
      ...patternsOf(atoms, parts.user.met).map((items) => ({ items, wanted: [1] as const })),
      ...patternsOf(atoms, parts.user.missed).map((items) => ({ items, wanted: [-1, 0] as const })),
    ];
    return findName(constraints, domain(atoms, USERS));
  });
  if (user.kind !== "found") return user;
  // a user who does not exist is in no group
  if (parts["invalid-user"].met.length > 0) {
    if (parts.group.met.length > 0) return { kind: "none" };
    return { kind: "found", value: { user: user.value, groups: null, invalidUser: true } };
  }
  const groups = remember(keyOf("group", parts.group), () =>
    findGroups(
      patternsOf(atoms, parts.group.met),
      patternsOf(atoms, parts.group.missed),
      domain(atoms, GROUPS),
    ),
  );
  if (groups.kind !== "found") return groups;
  return { kind: "found", value: { user: user.value, groups: groups.value, invalidUser: false } };
}

/** User and groups are one attribute: the accounts that are left after each criterion. */
function closedWorld(
  atoms: Atoms,
  parts: Parts,
  accounts: readonly Account[],
  remember: Remember,
): Found<Person> {
  if (parts["invalid-user"].met.length > 0) return { kind: "none" };
  return remember(`${keyOf("user", parts.user)} ${keyOf("group", parts.group)}`, () => {
    const met = [...parts.user.met, ...parts.group.met];
    const missed = [...parts.user.missed, ...parts.group.missed];
    for (const { name, groups } of accounts) {
      const connection: Connection = { ...NOWHERE, user: name, groups };
      if (!met.every((atom) => atoms.holds(atom, connection))) continue;
      if (missed.some((atom) => atoms.holds(atom, connection))) continue;
      return { kind: "found", value: { user: name, groups, invalidUser: false } };
    }
    return { kind: "none" };
  });
}

const NOWHERE: Connection = {
  user: null,
  groups: null,
  host: null,
  addr: null,
  laddr: null,
  lport: null,
  rdomain: "",
  invalidUser: false,
};

function withPlace(
  atoms: Atoms,
  parts: Parts,
  world: World,
  person: Found<Person>,
  remember: Remember,
): Found<Connection> {
  if (person.kind !== "found") return person;
  const laddr = remember(keyOf("localaddress", parts.localaddress), () =>
    findAddress({
      ...addressLists(atoms, parts.localaddress),
      texts: [],
      nice: SERVERS,
      release: atoms.release,
    }),
  );
  if (laddr.kind !== "found") return laddr;
  const lport = remember(keyOf("localport", parts.localport), () => findPort(atoms, parts.localport));
  if (lport.kind !== "found") return lport;
  const peer = findPeer(atoms, parts, world, remember);
  if (peer.kind !== "found") return peer;
  return {
    kind: "found",
    value: { ...person.value, ...peer.value, laddr: laddr.value, lport: lport.value, rdomain: "" },
  };
}

interface Peer {
  readonly host: string;
  readonly addr: string;
}

/** First the host as the text of the address; with UseDNS yes a name of its own as well. */
function findPeer(atoms: Atoms, parts: Parts, world: World, remember: Remember): Found<Peer> {
  const numeric = remember(`${keyOf("address", parts.address)} ${keyOf("host", parts.host)}`, () =>
    findAddress({
      ...addressLists(atoms, parts.address),
      texts: hostTexts(atoms, parts.host),
      nice: ADDRESSES,
      release: atoms.release,
    }),
  );
  if (numeric.kind === "found") return { kind: "found", value: { host: numeric.value, addr: numeric.value } };
  if (!world.namedHosts) return numeric;
  const addr = remember(keyOf("address", parts.address), () =>
    findAddress({
      ...addressLists(atoms, parts.address),
      texts: [],
      nice: ADDRESSES,
      release: atoms.release,
    }),
  );
  if (addr.kind !== "found") return addr;
  const host = remember(keyOf("host", parts.host), () => {
    const constraints = hostTexts(atoms, parts.host).map(({ items, met }) => ({
      items,
      wanted: met ? ([1] as const) : ([-1, 0] as const),
    }));
    return findName(constraints, domain(atoms, HOSTS));
  });
  return host.kind === "found" ? { kind: "found", value: { host: host.value, addr: addr.value } } : host;
}

/** Hosts are compared in lower case (match.c match_hostname). */
function hostTexts(atoms: Atoms, part: Part): TextConstraint[] {
  const folded = (indexes: readonly number[], met: boolean): TextConstraint[] =>
    patternsOf(atoms, indexes).map((items) => ({
      items: items.map(({ negated, pattern }) => ({ negated, pattern: lowerAscii(pattern) })),
      met,
    }));
  return [...folded(part.met, true), ...folded(part.missed, false)];
}

function addressLists(atoms: Atoms, part: Part): Pick<Parameters<typeof findAddress>[0], "addresses"> {
  const lists = (indexes: readonly number[], met: boolean) =>
    indexes.flatMap((index) => {
      const atom = atoms.list[index];
      return atom?.attribute === "address" || atom?.attribute === "localaddress"
        ? [{ items: atom.items, met }]
        : [];
    });
  return { addresses: [...lists(part.met, true), ...lists(part.missed, false)] };
}

function findPort(atoms: Atoms, part: Part): Found<number> {
  const ports = (indexes: readonly number[]): number[] =>
    indexes.flatMap((index) => {
      const atom = atoms.list[index];
      return atom?.attribute === "localport" ? [atom.port] : [];
    });
  const excluded = new Set(ports(part.missed));
  const [wanted, ...others] = ports(part.met);
  if (wanted !== undefined) {
    const fits = others.every((port) => port === wanted) && !excluded.has(wanted);
    return fits ? { kind: "found", value: wanted } : { kind: "none" };
  }
  const free = [...PORTS, ...Array.from({ length: excluded.size + 1 }, (_, index) => 20000 + index)];
  const port = free.find((candidate) => !excluded.has(candidate));
  return port === undefined ? { kind: "none" } : { kind: "found", value: port };
}
