/**
 * The plain reading: the effective settings of one connection, line by line as sshd does it (OpenSSH servconf.c
 * parse_server_match_config and copy_set_server_options). The second, independent reading beside the search: it shares
 * only the loaded configuration and the pattern matcher with it.
 */
import { matchAddressList } from "../../grammar/addresses.ts";
import { type Keyword, knownKeywords } from "../../grammar/keywords.ts";
import { matchHostList, matchPatternList, type PatternItem } from "../../grammar/patterns.ts";
import { atLeast, type Release, versionText } from "../../grammar/release.ts";
import { INVALID_USER_FITS_ALL, isReadWith } from "../../grammar/release-bugs.ts";
import type { Config, Criterion, Directive, MatchBlock } from "../config/config.ts";
import { withTakenPrincipals } from "../config/other-lines.ts";
import { type Connection, NOT_OVER_IP, usualRoutingDomain } from "./connection.ts";
import { chooseValues } from "./first-value.ts";
import { expandListenAddresses } from "./listen-addresses.ts";
import { secondPass } from "./second-pass.ts";

export interface EffectiveSetting {
  readonly keyword: Keyword;
  /** as `sshd -T` prints them, one string a printed item; empty: sshd prints nothing */
  readonly values: readonly string[];
  /** the lines that give the values, in order; empty: the default */
  readonly decidedBy: readonly Directive[];
}

/** Effective settings by lower-case keyword, in the order of the keyword table. */
export type Effective = ReadonlyMap<string, EffectiveSetting>;

/**
 * Why sshd has no answer: it ends the connection (a bad address list before 8.4), or `sshd -T` of that release stops
 * for want of a field (semantics 6.3, 6.4).
 */
export interface NoAnswer {
  readonly kind: "no-answer";
  readonly message: string;
}

export interface EvaluateOptions {
  /**
   * A field that is null: "as-sshd" does what `sshd -T` of the release does; "no-match" lets the criterion fail, but for
   * the routing domain of a connection that is not over IP, which really has none
   */
  readonly missing?: "as-sshd" | "no-match";
}

export function evaluate(
  config: Config,
  connection: Connection,
  options: EvaluateOptions = {},
): Effective | NoAnswer {
  const entered = enteredBlocks(config, connection, options);
  if ("kind" in entered) return entered;
  const inMatch: Directive[] = [];
  const global: Directive[] = [];
  for (const directive of config.directives) {
    // no values: refused, or accepted and without effect (`AllowUsers # nobody` up to 9.6)
    if (directive.values === null || directive.values.length === 0) continue;
    if (directive.atStart) global.push(directive);
    if (directive.guards.length > 0 && directive.guards.every((block) => entered.has(block)))
      inMatch.push(directive);
  }
  const { release } = config;
  return settle(release, withTakenPrincipals(inMatch, release), withTakenPrincipals(global, release));
}

/** Whether sshd has one: else it says why not. */
export function isAnswer(result: Effective | NoAnswer): result is Effective {
  return !("kind" in result);
}

function settle(release: Release, inMatch: readonly Directive[], global: readonly Directive[]): Effective {
  const matchByKeyword = groupByKeyword(inMatch);
  const globalByKeyword = groupByKeyword(global);
  const effective = new Map<string, EffectiveSetting>();
  for (const keyword of knownKeywords(release)) {
    if (keyword.form === "match" || keyword.form === "include") continue;
    const matching = takesMatch(keyword, release) ? (matchByKeyword.get(keyword.key) ?? []) : [];
    const chosen = chooseValues(keyword, matching, globalByKeyword.get(keyword.key) ?? []);
    effective.set(keyword.key, { keyword, ...(chosen ?? { values: keyword.defaults ?? [], decidedBy: [] }) });
  }
  if (!atLeast(release, "8.7")) followChallengeResponse(effective, matchByKeyword, globalByKeyword);
  const listen = effective.get("listenaddress");
  const ports = effective.get("port")?.values ?? [];
  const family = effective.get("addressfamily")?.values[0] ?? "any";
  if (listen !== undefined)
    effective.set("listenaddress", { ...listen, values: expandListenAddresses(listen, ports, family) });
  return effective;
}

function groupByKeyword(directives: readonly Directive[]): Map<string, Directive[]> {
  const grouped = new Map<string, Directive[]>();
  for (const directive of directives) {
    const list = grouped.get(directive.keyword);
    if (list === undefined) grouped.set(directive.keyword, [directive]);
    else list.push(directive);
  }
  return grouped;
}

/** SetEnv is allowed in a block from 7.8 and copied from it from 8.5 (servconf.c copy_set_server_options). */
export function takesMatch(keyword: Keyword, release: Release): boolean {
  return keyword.inMatch && (keyword.key !== "setenv" || atLeast(release, "8.5"));
}

/**
 * Up to 8.6 ChallengeResponseAuthentication, on by default, turns KbdInteractiveAuthentication on when sshd starts;
 * blocks come after that (sshd.c main).
 */
function followChallengeResponse(
  effective: Map<string, EffectiveSetting>,
  matching: ReadonlyMap<string, readonly Directive[]>,
  global: ReadonlyMap<string, readonly Directive[]>,
): void {
  const interactive = effective.get("kbdinteractiveauthentication");
  if (interactive === undefined || matching.has(interactive.keyword.key)) return;
  const challenge = global.get("challengeresponseauthentication")?.[0];
  if (challenge === undefined || challenge.values?.[0] === "yes") {
    const decidedBy = challenge === undefined ? [] : [challenge];
    effective.set(interactive.keyword.key, { ...interactive, values: ["yes"], decidedBy });
  } else if (interactive.decidedBy.length === 0) {
    effective.set(interactive.keyword.key, { ...interactive, values: ["no"], decidedBy: [challenge] });
  }
}

/** The Match blocks that hold for the connection (second pass). A block counts only with all blocks around it. */
function enteredBlocks(
  config: Config,
  connection: Connection,
  options: EvaluateOptions,
): Set<MatchBlock> | NoAnswer {
  const entered = new Set<MatchBlock>();
  if (options.missing === "as-sshd" && skipsSecondPass(config.release, connection)) return entered;
  const refusedBefore = secondPass(config, entered);
  const seen = options.missing === "as-sshd" ? connection : asServed(connection, config.release);
  for (const block of config.matches) {
    const refused = refusedBefore(block.order);
    if (refused !== null) return { kind: "no-answer", message: refused };
    // inside a block that does not hold, and in files lost to bug 3122, sshd only checks the syntax (SSHCFG_NEVERMATCH)
    if (block.lost || !block.outer.every((around) => entered.has(around))) continue;
    const holds = blockHolds(block, seen, { release: config.release, options });
    if (typeof holds === "string") return { kind: "no-answer", message: holds };
    if (holds) entered.add(block);
  }
  const refused = refusedBefore(config.matches.length);
  return refused === null ? entered : { kind: "no-answer", message: refused };
}

/** A release that knows no routing domains sees none. */
function asServed(connection: Connection, release: Release): Connection {
  return usualRoutingDomain(release) === null ? { ...connection, rdomain: null } : connection;
}

interface Judge {
  readonly release: Release;
  readonly options: EvaluateOptions;
}

/** Every criterion is looked at, without short cut, so that a missing field is fatal wherever it stands. */
function blockHolds(block: MatchBlock, connection: Connection, judge: Judge): boolean | string {
  let holds = block.criteria.length > 0;
  for (const criterion of block.criteria) {
    const missing = missingField(criterion, connection, judge);
    if (missing !== null) return missing;
    const held = criterionHolds(criterion, connection, judge.release);
    if (held === "dies") return `reprocess config line ${block.line.sshdNumber}: Bad Match condition`;
    if (!held) holds = false;
  }
  return holds;
}

export function criterionHolds(
  criterion: Criterion,
  connection: Connection,
  release: Release,
): boolean | "dies" {
  switch (criterion.attribute) {
    case "all":
      return true;
    case "invalid-user":
      return connection.invalidUser || isReadWith(INVALID_USER_FITS_ALL, release);
    case "user":
      return connection.user !== null && matchPatternList(connection.user, criterion.items, release) === 1;
    case "group":
      return groupsMatch(connection.groups ?? [], criterion.items, release);
    case "host":
      return connection.host !== null && matchHostList(connection.host, criterion.items, release) === 1;
    case "rdomain":
      return (
        connection.rdomain !== null && matchPatternList(connection.rdomain, criterion.items, release) === 1
      );
    case "version":
      return matchPatternList(versionText(release), criterion.items, release) === 1;
    case "localport":
      return connection.lport === criterion.port;
    case "address":
    case "localaddress":
      return addressHolds(criterion, connection, release);
  }
}

function addressHolds(
  criterion: Extract<Criterion, { attribute: "address" | "localaddress" }>,
  connection: Connection,
  release: Release,
): boolean | "dies" {
  const text = criterion.attribute === "address" ? connection.addr : connection.laddr;
  if (text === null) return false;
  const matched = matchAddressList(text, criterion.items, release);
  return matched === "dies" ? matched : matched === 1;
}

/** groupaccess.c ga_match_pattern_list: any group on a negated item ends it. */
function groupsMatch(groups: readonly string[], items: readonly PatternItem[], release: Release): boolean {
  let found = false;
  for (const group of groups) {
    const matched = matchPatternList(group, items, release);
    if (matched === -1) return false;
    if (matched === 1) found = true;
  }
  return found;
}

/** Up to 7.6 `sshd -T` without -C does not read the Match blocks at all (semantics 6.3). */
function skipsSecondPass(release: Release, connection: Connection): boolean {
  return !atLeast(release, "7.7") && isEmpty(connection);
}

function isEmpty({ user, host, addr, laddr, lport, rdomain }: Connection): boolean {
  return [user, host, addr, laddr, lport, rdomain].every((field) => field === null);
}

const FIELD_OF: Readonly<
  Record<Criterion["attribute"], { name: string; field: keyof Connection; key: string } | null>
> = {
  all: null,
  "invalid-user": null,
  version: null,
  user: { name: "User", field: "user", key: "user" },
  group: { name: "Group", field: "user", key: "user" },
  host: { name: "Host", field: "host", key: "host" },
  address: { name: "Address", field: "addr", key: "addr" },
  localaddress: { name: "LocalAddress", field: "laddr", key: "laddr" },
  localport: { name: "LocalPort", field: "lport", key: "lport" },
  rdomain: { name: "RDomain", field: "rdomain", key: "rdomain" },
};

/**
 * What `sshd -T` says where a criterion needs a field that was not given, and a server where it cannot tell the routing
 * domain (servconf.c match_test_missing_fatal).
 */
function missingField(criterion: Criterion, connection: Connection, judge: Judge): string | null {
  const needed = FIELD_OF[criterion.attribute];
  if (needed === null) return null;
  const value = connection[needed.field];
  const absent = value === null || (criterion.attribute === "localport" && value === 0);
  const isFatal =
    judge.options.missing === "as-sshd"
      ? isFatalWhenMissing(criterion.attribute, judge.release)
      : criterion.attribute === "rdomain" && isEndedWithoutDomain(connection, judge.release);
  if (!absent || !isFatal) return null;
  return `'Match ${needed.name}' in configuration but '${needed.key}' not in connection test specification.`;
}

function isEndedWithoutDomain({ addr }: Connection, release: Release): boolean {
  return addr === NOT_OVER_IP.addr && usualRoutingDomain(release) !== null;
}

function isFatalWhenMissing(attribute: Criterion["attribute"], release: Release): boolean {
  if (!atLeast(release, "7.7")) return false;
  if (attribute === "localport") return true;
  return attribute !== "rdomain" && !atLeast(release, "8.1");
}

/**
 * Up to 7.6 `-C` needs user, host and addr together (sshd.c); `invalid-user` is known from 9.9 on. Null: the release
 * takes the specification.
 */
export function refusedSpecification(release: Release, connection: Connection): string | null {
  if (connection.invalidUser && !atLeast(release, "9.9"))
    return "Invalid test mode specification invalid-user";
  if (atLeast(release, "7.7") || isEmpty(connection)) return null;
  const { user, host, addr } = connection;
  if (user !== null && host !== null && addr !== null) return null;
  return "user, host and addr are all required when testing Match configs";
}
