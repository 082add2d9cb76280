/** Criteria that no connection can meet, and why (OpenSSH match.c, addrmatch.c, groupaccess.c). */
import type { AddressItem } from "../../grammar/addresses.ts";
import { lowerAscii } from "../../grammar/ascii.ts";
import { matchHostList, type PatternItem, parsePatternList } from "../../grammar/patterns.ts";
import { atLeast } from "../../grammar/release.ts";
import type { Config, Criterion, MatchBlock } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import { NO_FIELDS, NOT_OVER_IP } from "../policy/connection.ts";
import { usesDns } from "../policy/deciders.ts";
import { criterionHolds } from "../policy/evaluate.ts";
import { userPart } from "../policy/login.ts";
import { findAddress } from "../policy/theory-addresses.ts";
import { fullEffort } from "../policy/theory-names.ts";

/** True where none of the accounts is who the block asks for, from wherever they come. */
export function hasNobody(config: Config, accounts: readonly Account[], block: MatchBlock): boolean {
  const asked = [...block.outer, block]
    .flatMap(({ criteria }) => criteria)
    .filter(({ attribute }) => attribute === "user" || attribute === "group");
  return !accounts.some(({ name, groups }) =>
    asked.every(
      (criterion) => criterionHolds(criterion, { ...NO_FIELDS, user: name, groups }, config.release) === true,
    ),
  );
}

/** One line for an administrator; null where the criterion can hold, or nothing is known against it. */
export function whyNeverMatching(config: Config, criterion: Criterion): string | null {
  if (!("items" in criterion)) return null;
  if (isNegative(criterion.items)) return whyNegative(criterion.text);
  switch (criterion.attribute) {
    case "user":
    case "group":
      return whyNoName(
        config,
        criterion.items.flatMap(({ negated, pattern }) => (negated ? [] : [pattern])),
      );
    case "host":
      return usesDns(config) ? null : whyNoHost(criterion.items);
    case "address":
    case "localaddress": {
      const isText = criterion.items.every(({ negated, kind }) => negated || kind === "text");
      if (!isText || !fitsNoAddress(criterion.items)) return null;
      return criterion.items.some((item) => !item.negated && item.kind === "text" && isV6Text(item.pattern))
        ? "sshd compares it as text and writes no IPv6 address so: lower case, no zeros in front, the longest run of zeros as ::"
        : "it is no address and no network, so it is compared as text with the address and never equal";
    }
    default:
      return null;
  }
}

/** An item of a list, as it is written, that is there in vain. */
export interface VainItem {
  readonly item: string;
  readonly why: string;
}

/** Of a criterion that can hold: items that fit nobody, so that a negated one excludes nobody. */
export function vainItems(config: Config, criterion: Criterion): readonly VainItem[] {
  if (!("items" in criterion) || criterion.items.length < 2) return [];
  return criterion.items.flatMap((item) => {
    if (!("pattern" in item)) return [];
    // of the criterion's own kind, which the compiler does not see
    const alone = { ...criterion, text: item.pattern, items: [{ ...item, negated: false }] } as Criterion;
    const why = whyNeverMatching(config, alone);
    return why === null ? [] : [{ item: `${item.negated ? "!" : ""}${item.pattern}`, why }];
  });
}

/**
 * The same of an item of AllowUsers, DenyUsers, AllowGroups or DenyGroups: sshd compares each as one name with wildcards,
 * and of lists and negations only the hosts behind an `@` know (auth.c allowed_user, match.c match_user, groupaccess.c).
 */
export function whyNobodyMeant(config: Config, keyword: string, item: string): string | null {
  const name = keyword.endsWith("users") ? userPart(item, config.release) : item;
  if (name === "") return 'nobody has an empty name; "*" is everybody';
  if (name.includes(",")) return "names stand between blanks here, so this is one name with a comma in it";
  if (name.startsWith("!")) return "a name is never negated here, so this is one that begins with !";
  if (name.length < item.length) {
    const hosts = item.slice(name.length + 1);
    const items = parsePatternList(hosts);
    if (isNegative(items)) return whyNegative(hosts);
    return usesDns(config) ? null : whyNoHost(items);
  }
  return whyNoName(config, [name]);
}

function isNegative(items: readonly { readonly negated: boolean }[]): boolean {
  return items.every(({ negated }) => negated);
}

function whyNegative(list: string): string {
  return `a list with only negations never matches; "*,${list}" means everybody else`;
}

function whyNoName(config: Config, names: readonly string[]): string | null {
  if (names.every((name) => /^'|'$/.test(name)) && !atLeast(config.release, "9.9"))
    return "this release takes the single quotes as part of the name";
  if (names.every((name) => name.startsWith("="))) return "the = is part of the name here: leave it out";
  return null;
}

/** With UseDNS no, the default, sshd's host is the text of the address (semantics of auth.c auth_get_canonical_hostname). */
function whyNoHost(items: readonly PatternItem[]): string | null {
  const namesOnly = items.every(({ negated, pattern }) => negated || /[g-zG-Z]/.test(pattern));
  const texts = items.map(
    ({ negated, pattern }): AddressItem => ({ kind: "text", negated, pattern: lowerAscii(pattern) }),
  );
  return namesOnly && matchHostList(NOT_OVER_IP.host, items) !== 1 && fitsNoAddress(texts)
    ? "with UseDNS no, sshd knows the client's address only and no host name"
    : null;
}

/** Not even the text of a link-local address with its interface, `fe80::1%eth0`. */
function fitsNoAddress(items: readonly AddressItem[]): boolean {
  return findAddress([{ items, met: true }], { nice: [], effort: fullEffort() }).kind === "none";
}

function isV6Text(pattern: string): boolean {
  return /^[0-9a-f:*?]*:[0-9a-f:*?]*$/i.test(pattern);
}
