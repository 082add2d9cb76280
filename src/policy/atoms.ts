/**
 * Distinct criteria as numbers. A guard (the Match lines around a directive) becomes a sorted set of these numbers, so
 * that the search compares and remembers numbers, not text.
 */
import { matchAddressList } from "../../grammar/addresses.ts";
import { matchHostList, matchPatternList } from "../../grammar/patterns.ts";
import { atLeast, type Release, versionText } from "../../grammar/release.ts";
import type { Config, Criterion, Directive, MatchBlock } from "../config/config.ts";
import type { Connection } from "./connection.ts";

/** A criterion that depends on the connection. */
export type Atom = Exclude<Criterion, { readonly attribute: "all" | "version" | "rdomain" }>;

export interface Atoms {
  readonly release: Release;
  readonly list: readonly Atom[];
  /** the number of a criterion, a new one where it is not known yet */
  intern(atom: Atom): number;
  /** null: no connection can fulfil it */
  guardOf(directive: Directive): readonly number[] | null;
  guardOfBlock(block: MatchBlock): readonly number[] | null;
  /** as sshd decides it for this connection; remembered by attribute value */
  holds(atom: number, connection: Connection): boolean;
}

/** Linux without VRF: since 8.1 the routing domain is the empty text, before it is unknown (semantics 5.4). */
function rdomainHolds(
  items: Extract<Criterion, { attribute: "rdomain" }>["items"],
  release: Release,
): boolean {
  return atLeast(release, "8.1") && matchPatternList("", items, release) === 1;
}

/** What criteria are numbered in, without the Match lines of a configuration. */
type Table = Pick<Atoms, "list" | "intern" | "holds">;

function makeTable(release: Release): Table {
  const list: Atom[] = [];
  const byKey = new Map<string, number>();
  const remembered: Map<string, boolean>[] = [];
  return {
    list,
    intern: (atom) => {
      const key = keyOf(atom);
      const known = byKey.get(key);
      if (known !== undefined) return known;
      byKey.set(key, list.length);
      list.push(atom);
      remembered.push(new Map());
      return list.length - 1;
    },
    holds: (index, connection) => {
      const atom = list[index];
      const memory = remembered[index];
      if (atom === undefined || memory === undefined) return false;
      const key = valueKey(atom, connection);
      const known = memory.get(key);
      if (known !== undefined) return known;
      const held = atomHolds(atom, connection, release);
      memory.set(key, held);
      return held;
    },
  };
}

/** By the items, not the text: releases read quotes differently. */
function keyOf(atom: Atom): string {
  switch (atom.attribute) {
    case "user":
    case "group":
    case "host":
      return `${atom.attribute} ${atom.items.map(({ negated, pattern }) => `${negated ? "!" : ""}${pattern}`).join(",")}`;
    default:
      return `${atom.attribute} ${"text" in atom ? atom.text : ""}`;
  }
}

/** `onto`: the criteria of another configuration, so that questions can be asked about both. */
export function internAtoms(config: Config, onto?: Atoms): Atoms {
  const { release } = config;
  const guards = new Map<MatchBlock, readonly number[] | null>();
  const { list, intern, holds } = onto ?? makeTable(release);

  /** True and false are criteria that need no connection. */
  const reduce = (criterion: Criterion): number | boolean => {
    switch (criterion.attribute) {
      case "all":
        return true;
      case "version":
        return matchPatternList(versionText(release), criterion.items, release) === 1;
      case "rdomain":
        return rdomainHolds(criterion.items, release);
      case "invalid-user":
        return atLeast(release, "9.9p2") ? intern(criterion) : true;
      default:
        return intern(criterion);
    }
  };

  const guardOfBlock = (block: MatchBlock): readonly number[] | null => {
    const known = guards.get(block);
    if (known !== undefined) return known;
    const guard = computeGuard(block);
    guards.set(block, guard);
    return guard;
  };

  const computeGuard = (block: MatchBlock): readonly number[] | null => {
    if (block.lost || block.criteria.length === 0) return null;
    const atoms = new Set<number>();
    for (const outer of block.outer) {
      const around = guardOfBlock(outer);
      if (around === null) return null;
      for (const atom of around) atoms.add(atom);
    }
    for (const criterion of block.criteria) {
      const atom = reduce(criterion);
      if (atom === false) return null;
      if (atom !== true) atoms.add(atom);
    }
    return [...atoms].sort((a, b) => a - b);
  };

  return {
    release,
    list,
    guardOfBlock,
    guardOf: (directive) => {
      const block = directive.guards.at(-1);
      return block === undefined ? [] : guardOfBlock(block);
    },
    intern,
    holds,
  };
}

function valueKey(atom: Atom, connection: Connection): string {
  switch (atom.attribute) {
    case "user":
      return connection.user ?? "\0";
    case "group":
      return connection.groups === null ? "\0" : connection.groups.join(",");
    case "host":
      return connection.host ?? "\0";
    case "address":
      return connection.addr ?? "\0";
    case "localaddress":
      return connection.laddr ?? "\0";
    case "localport":
      return String(connection.lport);
    case "invalid-user":
      return String(connection.invalidUser);
  }
}

function atomHolds(atom: Atom, connection: Connection, release: Release): boolean {
  switch (atom.attribute) {
    case "user":
      return connection.user !== null && matchPatternList(connection.user, atom.items, release) === 1;
    case "host":
      return connection.host !== null && matchHostList(connection.host, atom.items, release) === 1;
    case "address":
      return connection.addr !== null && matchAddressList(connection.addr, atom.items, release) === 1;
    case "localaddress":
      return connection.laddr !== null && matchAddressList(connection.laddr, atom.items, release) === 1;
    case "localport":
      return connection.lport === atom.port;
    case "invalid-user":
      return connection.invalidUser;
    case "group": {
      const results = (connection.groups ?? []).map((group) => matchPatternList(group, atom.items, release));
      return results.includes(1) && !results.includes(-1);
    }
  }
}
