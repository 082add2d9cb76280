/** What may exist beyond what the configuration says, as theories: anybody or known accounts only, named hosts or not. */
import type { AddressItem } from "../../grammar/addresses.ts";
import { matchHostList, type PatternItem } from "../../grammar/patterns.ts";
import type { Account } from "../files/tree.ts";
import { indexAccounts } from "./account-index.ts";
import type { Atom } from "./atoms.ts";
import type { Box, Cell, Theory, World } from "./box.ts";
import { type Connection, NOT_OVER_IP } from "./connection.ts";
import { bothFound, type Found, firstFound, found, mapFound, NONE } from "./found.ts";
import type { Holding } from "./holding.ts";
import type { AddressConstraint } from "./theory-address-text.ts";
import { findAddress, type NiceAddress, niceAddress } from "./theory-addresses.ts";
import { findGroups } from "./theory-groups.ts";
import {
  type Effort,
  findName,
  fullEffort,
  heeded,
  type NameConstraint,
  type NameDomain,
} from "./theory-names.ts";

export interface Existing {
  /** null: anybody, with any groups */
  readonly accounts: readonly Account[] | null;
  /** UseDNS yes: the host may be a name */
  readonly namedHosts: boolean;
}

/** What the configurations of a search make of every connection. */
export interface Served {
  readonly rdomain: Connection["rdomain"];
  /** false: sshd ends each that is not over IP */
  readonly apart: boolean;
}

/**
 * Names of users and groups: bytes without control characters and `:`, where sshd cuts a user off (auth2.c,
 * input_userauth_request). Directories have names with blanks ("domain users") and slashes.
 */
const NOT_IN_NAMES = /[\0-\x1f:\x7f]/;
/** Nor can -C carry a comma. */
export const NOT_CARRIED: RegExp = /[\0-\x1f:,\x7f]/;
/** A name from the DNS; sshd refuses what is none, and what is an address (auth.c or canohost.c, remote_hostname). */
const NOT_IN_HOSTS = /[\0-\x20:/,\x7f]/;

type Names = Omit<NameDomain, "effort">;

const USERS: Names = {
  nice: ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"],
  forbidden: NOT_IN_NAMES,
};
export const GROUPS: Names = { nice: ["users", "staff", "people", "team"], forbidden: NOT_IN_NAMES };
/** Names that a client's address may resolve to. */
export const HOSTS: Names = {
  nice: ["client.example.com", "host.example.net", "laptop.example.org"],
  forbidden: NOT_IN_HOSTS,
  numeric: "never",
};
const PEERS = ["198.51.100.7", "203.0.113.9", "10.0.0.5", "192.168.1.7", "2001:db8::1"];
const SERVERS = ["192.0.2.1", "10.0.0.1", "2001:db8::2"];
const PORTS = [22, 2222, 10022, 1022];

const USER = 0;
const GROUP = 1;
/** client and server address are of one family, so they are one slot */
const PLACE = 2;
const PORT = 3;

const SLOTS: Readonly<Record<Atom["attribute"], number>> = {
  user: USER,
  group: GROUP,
  "invalid-user": GROUP,
  address: PLACE,
  host: PLACE,
  localaddress: PLACE,
  localport: PORT,
};

export function makeWorld(
  atoms: readonly Atom[],
  holding: Holding,
  { accounts, namedHosts, ...served }: Existing & Served,
): World {
  const effort = fullEffort();
  const places = [
    placeTheory(atoms, { namedHosts, rdomain: served.rdomain, effort }),
    (cell: Cell) => findPort(portsOf(atoms, cell.met), portsOf(atoms, cell.missed)),
  ];
  const apart = (box: Box): Partial<Connection> | null =>
    served.apart && box.slice(PLACE).every((cell) => fitsApart(atoms, cell)) ? NOT_OVER_IP : null;
  if (accounts === null)
    return {
      theories: [userTheory(atoms, effort), groupTheory(atoms, effort), ...places],
      firstPlace: PLACE,
      freely: `${namedHosts} ${served.rdomain}`,
      apart,
      slotOf: (of) => SLOTS[of],
    };
  // user and groups are one: the accounts that are left after each criterion
  const people = indexAccounts(accounts, atoms, holding);
  const nothing: Theory = () => found({});
  return {
    theories: [people, nothing, ...places],
    firstPlace: PLACE,
    freely: null,
    apart,
    slotOf: (attribute) => (SLOTS[attribute] === GROUP ? USER : SLOTS[attribute]),
  };
}

/** No address list holds for such a connection, `*` neither; the host is the text that stands for the address. */
function fitsApart(atoms: readonly Atom[], { met, missed }: Cell): boolean {
  const holds = (index: number): boolean => {
    const atom = atoms[index];
    if (atom?.attribute === "host") return matchHostList(NOT_OVER_IP.host, atom.items) === 1;
    return atom?.attribute === "localport" && atom.port === NOT_OVER_IP.lport;
  };
  return met.every(holds) && !missed.some(holds);
}

function userTheory(atoms: readonly Atom[], effort: Effort): Theory {
  const users = { ...USERS, effort };
  return (cell) => mapFound(findName(nameConstraints(atoms, cell, "user"), users), (user) => ({ user }));
}

/** A user who does not exist is in no group. */
function groupTheory(atoms: readonly Atom[], effort: Effort): Theory {
  const domain = { ...GROUPS, effort };
  return ({ met, missed }) => {
    const wanted = itemsOf(atoms, met, "group");
    if (met.some((atom) => atoms[atom]?.attribute === "invalid-user")) {
      return wanted.length > 0 ? NONE : found({ groups: null, invalidUser: true });
    }
    return mapFound(findGroups(wanted, itemsOf(atoms, missed, "group"), domain), (groups) => ({ groups }));
  };
}

interface Places {
  readonly namedHosts: boolean;
  readonly rdomain: Connection["rdomain"];
  readonly effort: Effort;
}

/** Read when the first search asks for them: a configuration without blocks has none. */
let niceAddresses: {
  readonly peers: readonly NiceAddress[];
  readonly servers: readonly NiceAddress[];
} | null = null;

/** First the host as the text of the address; with UseDNS yes a name of its own as well. */
function placeTheory(atoms: readonly Atom[], { namedHosts, rdomain, effort }: Places): Theory {
  niceAddresses ??= { peers: PEERS.map(niceAddress), servers: SERVERS.map(niceAddress) };
  const peers = { nice: niceAddresses.peers, effort };
  const servers = { nice: niceAddresses.servers, effort };
  const hosts = { ...HOSTS, effort };
  return (cell) => {
    const addresses = addressConstraints(atoms, cell, "address");
    const locals = addressConstraints(atoms, cell, "localaddress");
    const meet = (constraints: readonly AddressConstraint[]): Found<readonly [string, string]> =>
      firstFound(
        ...FAMILIES.map(
          (family) => () =>
            bothFound(
              () => findAddress(constraints, { ...peers, family }),
              () => findAddress(locals, { ...servers, family }),
            ),
        ),
      );
    const asText = (): Found<Place> =>
      mapFound(meet([...addresses, ...hostsAsText(atoms, cell)]), ([addr, laddr]) => ({
        addr,
        laddr,
        host: addr,
      }));
    const named = (): Found<Place> =>
      mapFound(
        bothFound(
          () => meet(addresses),
          () => findName(nameConstraints(atoms, cell, "host"), hosts),
        ),
        ([[addr, laddr], host]) => ({ addr, laddr, host }),
      );
    return mapFound(firstFound(asText, ...(namedHosts ? [named] : [])), (place) => ({ ...place, rdomain }));
  };
}

type Place = Pick<Connection, "addr" | "laddr" | "host">;

const FAMILIES = [4, 6] as const;

function findPort(wanted: readonly number[], excluded: readonly number[]): Found<{ lport: number }> {
  const [port, ...others] = wanted;
  if (port !== undefined) {
    // no socket has port 0
    const fits = port !== 0 && others.every((other) => other === port) && !excluded.includes(port);
    return fits ? found({ lport: port }) : NONE;
  }
  const nice = PORTS.find((candidate) => !excluded.includes(candidate));
  if (nice !== undefined) return found({ lport: nice });
  const taken = new Set(excluded);
  for (let lport = 1; lport <= 65535; lport++) if (!taken.has(lport)) return found({ lport });
  return NONE;
}

function portsOf(atoms: readonly Atom[], indexes: readonly number[]): number[] {
  return indexes.flatMap((index) => {
    const atom = atoms[index];
    return atom?.attribute === "localport" ? [atom.port] : [];
  });
}

function itemsOf(
  atoms: readonly Atom[],
  indexes: readonly number[],
  attribute: "user" | "group" | "host",
): (readonly PatternItem[])[] {
  const found: (readonly PatternItem[])[] = [];
  for (const index of indexes) {
    const atom = atoms[index];
    if (atom?.attribute === attribute) found.push(atom.items);
  }
  return found;
}

const HIT: NameConstraint["wanted"] = [1];
const NO_HIT: NameConstraint["wanted"] = [-1, 0];

function nameConstraints(
  atoms: readonly Atom[],
  { met, missed }: Cell,
  attribute: "user" | "host",
): NameConstraint[] {
  const constraints: NameConstraint[] = [];
  for (const items of itemsOf(atoms, met, attribute)) constraints.push({ items, wanted: HIT });
  for (const items of itemsOf(atoms, missed, attribute)) constraints.push({ items, wanted: NO_HIT });
  return constraints;
}

function addressConstraints(
  atoms: readonly Atom[],
  { met, missed }: Cell,
  attribute: "address" | "localaddress",
): AddressConstraint[] {
  const constraints: AddressConstraint[] = [];
  const add = (indexes: readonly number[], isMet: boolean): void => {
    for (const index of indexes) {
      const atom = atoms[index];
      if (atom?.attribute === attribute) constraints.push({ items: atom.items, met: isMet });
    }
  };
  add(met, true);
  add(missed, false);
  return constraints;
}

const HOST_TEXTS = new WeakMap<readonly PatternItem[], readonly AddressItem[]>();

/** A host list in the world where the host is the text of the address. */
function hostsAsText(atoms: readonly Atom[], { met, missed }: Cell): AddressConstraint[] {
  return [
    ...itemsOf(atoms, met, "host").map((items) => ({ items: asAddressItems(items), met: true })),
    ...itemsOf(atoms, missed, "host").map((items) => ({ items: asAddressItems(items), met: false })),
  ];
}

function asAddressItems(items: readonly PatternItem[]): readonly AddressItem[] {
  const known = HOST_TEXTS.get(items);
  if (known !== undefined) return known;
  const texts = heeded(items).map((item): AddressItem => ({ kind: "text", ...item }));
  HOST_TEXTS.set(items, texts);
  return texts;
}
