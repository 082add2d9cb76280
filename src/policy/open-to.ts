/** What one account may do, from wherever it comes. */
import { parseAddressList } from "../../grammar/addresses.ts";
import { lowerAscii } from "../../grammar/ascii.ts";
import { parsePatternList } from "../../grammar/patterns.ts";
import type { Config, Criterion } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import { makeSource } from "../source/source.ts";
import type { Answer } from "./answer.ts";
import type { Capability, Connection } from "./connection.ts";
import { usesDns } from "./deciders.ts";
import { type ExposureOptions, exposure } from "./exposure.ts";
import { locate } from "./locate.ts";
import { loginThrough } from "./login.ts";
import { loginLists } from "./login-demand.ts";
import { asksFor } from "./specification.ts";

/** `answers`: those of everybody; closed ones may be missing. */
export interface Judged {
  readonly config: Config;
  readonly answers: readonly Answer[];
}

export interface Asked {
  readonly capabilities: readonly Capability[];
  /** the places from which a key lets in, as its option `from` has them (auth2-pubkeyfile.c); null: it says none */
  readonly from: string | null;
}

/**
 * The open answers, each about this account alone and with a witness that may log in, as far as is known. Null: the
 * account can log in from nowhere.
 */
export function openTo(judged: Judged, account: Account, asked: Asked): readonly Answer[] | null {
  const { capabilities, from } = asked;
  if (from !== null) return fromListed(judged, account, { capabilities, from });
  return asksForPlaces(judged.config)
    ? fromPlaces(judged, account, { capabilities })
    : fromOnePlace(judged, account, capabilities);
}

/**
 * match.c match_host_and_ip: the list is one of addresses, and one of hosts, in lower case. Where no names are looked up
 * the host is the text of the address.
 */
function fromListed(
  judged: Judged,
  account: Account,
  { capabilities, from }: { readonly capabilities: readonly Capability[]; readonly from: string },
): readonly Answer[] | null {
  const { config } = judged;
  const place = { source: makeSource("from", from), start: 0, end: from.length };
  const { items } = parseAddressList(from, config.release);
  // an item that is no address keeps out everybody, wherever it stands
  if (items.some(({ kind }) => kind === "invalid")) return null;
  const asHosts = items.map((item) =>
    item.kind === "text" ? { ...item, pattern: lowerAscii(item.pattern) } : item,
  );
  const lists: Criterion[] = [{ attribute: "address", place, text: from, items: [...items, ...asHosts] }];
  if (usesDns(config)) lists.push({ attribute: "host", place, text: from, items: parsePatternList(from) });
  const told = lists.map((list) => fromPlaces(judged, account, { capabilities, inside: [list] }));
  return told.every((open) => open === null) ? null : told.flatMap((open) => open ?? []);
}

/** Without such a criterion all places are alike. */
function asksForPlaces(config: Config): boolean {
  const isPlace = ({ attribute }: Criterion): boolean => PLACES.some((place) => place === attribute);
  return (
    PLACES.some((attribute) => asksFor(config, attribute)) ||
    loginLists(config).sets.some((criteria) => criteria.some(isPlace))
  );
}

const PLACES = ["address", "host", "localaddress", "localport", "rdomain"] as const;

function fromPlaces(
  { config, answers }: Judged,
  account: Account,
  options: Pick<ExposureOptions, "capabilities" | "inside">,
): readonly Answer[] | null {
  const own = exposure(config, { accounts: [account], ...options }).answers;
  if (own.every(({ login }) => login === "impossible")) return null;
  return own
    .filter(({ allowed, login }) => allowed !== false && login !== "impossible")
    .map((answer) => {
      const { capability, witness, extent } = answer;
      const general = witness === null ? null : locate(config, answers, capability, witness);
      // which low ports the kernel gives to whom is known there
      const { listen } = general ?? answer;
      return { ...answer, listen, extent: { ...extent, who: ownWho(account, extent.who) } };
    });
}

/** Criteria in one spelling, sorted, as in every extent. */
function ownWho({ name }: Account, who: string): string {
  const others = who.split(", ").filter((text) => text !== "" && text !== `user ${name}`);
  return [...others, `user ${name}`].sort().join(", ");
}

function fromOnePlace(
  { config, answers }: Judged,
  account: Account,
  capabilities: readonly Capability[],
): readonly Answer[] | null {
  const witness = connectionOf(account);
  const login = loginThrough(config, witness);
  if (login === "impossible") return null;
  const who = `user ${account.name}`;
  return capabilities
    .flatMap((capability) => locate(config, answers, capability, witness) ?? [])
    .filter(({ allowed }) => allowed !== false)
    .map((answer) => ({ ...answer, login, witness, condition: who, extent: { who, except: NOBODY } }));
}

const NOBODY: readonly string[] = [];

function connectionOf({ name, groups }: Account): Connection {
  const addr = "198.51.100.7";
  const where = { host: addr, addr, laddr: "192.0.2.1", lport: 22, rdomain: "" };
  return { user: name, groups, ...where, invalidUser: false };
}
