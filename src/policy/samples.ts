/** Connections worth asking about: for each Match block some that it is meant for, and one that no block names. */
import type { AddressItem } from "../../grammar/addresses.ts";
import type { Config, Criterion, MatchBlock } from "../config/config.ts";
import { listRanges, printAddress, SEEN } from "./address-sets.ts";
import type { Connection } from "./connection.ts";
import { contains, intersect } from "./ranges.ts";
import { niceAddress } from "./theory-addresses.ts";

export const STRANGER: Connection = {
  user: "alice",
  groups: ["alice"],
  host: "198.51.100.7",
  addr: "198.51.100.7",
  laddr: "192.0.2.1",
  lport: 22,
  rdomain: "",
  invalidUser: false,
};

/** Blocks beyond this many are sampled no more: the search is what answers for all. */
const MAX_SAMPLES = 400;

/** Deterministic; the first is a connection from outside that no list names. */
export function sampleConnections(config: Config): Connection[] {
  const samples = [STRANGER, { ...STRANGER, user: "root", groups: ["root"] }];
  for (const block of config.matches.slice(0, MAX_SAMPLES)) samples.push(...meantFor(block));
  return samples;
}

function meantFor(block: MatchBlock): Connection[] {
  const criteria = [...block.outer.flatMap((outer) => outer.criteria), ...block.criteria];
  const inside = criteria.reduce(withCriterion, STRANGER);
  return [
    inside,
    { ...inside, user: `${inside.user}x` },
    { ...inside, addr: "203.0.113.9", host: "203.0.113.9" },
  ];
}

function withCriterion(connection: Connection, criterion: Criterion): Connection {
  switch (criterion.attribute) {
    case "all":
    case "version":
      return connection;
    case "invalid-user":
      return { ...connection, invalidUser: true, groups: null };
    case "localport":
      return { ...connection, lport: criterion.port };
    case "address":
      return { ...connection, addr: anAddress(criterion.items, connection.addr) ?? connection.addr };
    case "localaddress":
      return { ...connection, laddr: anAddress(criterion.items, connection.laddr) ?? connection.laddr };
    case "group":
      return { ...connection, groups: [...(connection.groups ?? []), aName(criterion.items) ?? "users"] };
    default:
      return {
        ...connection,
        [criterion.attribute]: aName(criterion.items) ?? connection[criterion.attribute],
      };
  }
}

function aName(items: readonly { readonly negated: boolean; readonly pattern: string }[]): string | null {
  const positive = items.find(({ negated }) => !negated);
  return positive === undefined ? null : positive.pattern.replace(/\*/g, "").replace(/\?/g, "x") || "alice";
}

/** As sshd prints one of a peer that the list holds; the usual one where it holds that. Null: none, or that is not known. */
function anAddress(items: readonly AddressItem[], usual: string | null): string | null {
  for (const family of [4, 6] as const) {
    const ranges = intersect(SEEN[family], listRanges(items, family) ?? []);
    const [first] = ranges;
    if (first === undefined) continue;
    const known = niceAddress(usual ?? "");
    const isHeld = known.family === family && contains(ranges, known.value);
    return isHeld ? usual : printAddress(first.low, family);
  }
  return null;
}
