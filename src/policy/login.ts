/**
 * Who may log in at all, beside the grant and never part of it: AllowUsers, DenyUsers, AllowGroups, DenyGroups,
 * PermitRootLogin and RefuseConnection (OpenSSH auth.c allowed_user, auth_root_allowed), lists that end connections, and
 * whether a method is left.
 */
import { matchAddressList, parseAddressList } from "../../grammar/addresses.ts";
import { matchHostList, matchPattern, parsePatternList } from "../../grammar/patterns.ts";
import { atLeast, type Release } from "../../grammar/release.ts";
import { onceFor } from "../../grammar/remember.ts";
import type { Config } from "../config/config.ts";
import { linesOf } from "../config/keyword-lines.ts";
import type { Decider } from "./answer.ts";
import type { Connection } from "./connection.ts";
import { endingAll, endingItems, LISTS } from "./ending-lists.ts";
import type { Effective } from "./evaluate.ts";
import { isOn, mayLackMethods, methodLists, SWITCHES } from "./methods.ts";
import { type ReadSetting, readerOf } from "./reader.ts";

export interface LoginAnswer {
  readonly login: "possible" | "impossible" | "unknown";
  readonly because: string;
  /** a connection of the scope that may log in, where the witness that was given may not */
  readonly admitted?: Connection;
}

const KEYWORDS: readonly string[] = [
  "allowusers",
  "denyusers",
  "allowgroups",
  "denygroups",
  "refuseconnection",
  "permitrootlogin",
];

/** Whether a line of the configuration may refuse a login. */
export const refusesLogins: (config: Config) => boolean = onceFor(
  (config) =>
    KEYWORDS.some((keyword) => linesOf(config, keyword).length > 0) ||
    endingItems(config).size > 0 ||
    mayLackMethods(config),
);

type SettingOf = (keyword: string) => ReadSetting | null;

/** `groups: null` never lets a user in who must be in a group. */
export function loginOf(effective: Effective, connection: Connection, config: Config): LoginAnswer {
  const refusal = refusalOf((keyword) => effective.get(keyword) ?? null, connection, config);
  return refusal === null ? POSSIBLE : { login: "impossible", because: refusal.because };
}

/** The same for many connections; where sshd ends the connection nobody logs in. */
export function loginThrough(config: Config, connection: Connection): LoginAnswer["login"] {
  const isServed = readerOf(config).read(connection, "permitrootlogin") !== null;
  return isServed && refusalThrough(config, connection) === null ? "possible" : "impossible";
}

export interface Refusal {
  readonly because: string;
  /** in lower case; null: the user does not exist */
  readonly keyword: string | null;
  /** the item of the keyword's lines that refuses, where it is one item */
  readonly item: string | null;
}

/** Null: nothing refuses the connection, or sshd has no answer for it. */
export function refusalThrough(config: Config, connection: Connection): Refusal | null {
  const reader = readerOf(config);
  return refusalOf((keyword) => reader.read(connection, keyword), connection, config);
}

/** The line behind a refusal: the one with the item, else the last, to which a name would be added; [] where none is. */
export function refusingLine(config: Config, connection: Connection): readonly Decider[] {
  const { keyword = null, item } = refusalThrough(config, connection) ?? {};
  const setting = keyword === null ? null : readerOf(config).read(connection, keyword);
  if (keyword === null || setting === null) return [];
  const { decidedBy, values } = setting;
  const directive = decidedBy.find((line) => line.values?.includes(item ?? "")) ?? decidedBy.at(-1) ?? null;
  return [{ keyword, value: (directive?.values ?? values).join(" "), directive }];
}

export const POSSIBLE: LoginAnswer = {
  login: "possible",
  because: "nothing in the configuration refuses this login",
};

function refusalOf(settingOf: SettingOf, connection: Connection, config: Config): Refusal | null {
  if (!refusesLogins(config)) return connection.invalidUser ? NO_SUCH_USER : null;
  const valuesOf = (keyword: string): readonly string[] => settingOf(keyword)?.values ?? [];
  return (
    ending(settingOf, config) ??
    refusing(valuesOf, connection, config.release) ??
    (mayLackMethods(config) ? lackingMethods(valuesOf) : null)
  );
}

const NO_SUCH_USER: Refusal = { because: "the user does not exist", keyword: null, item: null };

type ValuesOf = (keyword: string) => readonly string[];

function ending(settingOf: SettingOf, config: Config): Refusal | null {
  const items = endingItems(config);
  if (items.size === 0) return null;
  for (const { keyword, name } of LISTS) {
    const [line] = settingOf(keyword)?.decidedBy ?? [];
    const item = (line === undefined ? undefined : items.get(line)) ?? endingAll(config, keyword);
    if (item !== null) return { because: `sshd ends connections over ${name} ${item}`, keyword, item };
  }
  return null;
}

/** In the order of auth.c: DenyUsers, AllowUsers, DenyGroups, AllowGroups; root where nothing but his groups would refuse him. */
function refusing(valuesOf: ValuesOf, connection: Connection, release: Release): Refusal | null {
  const { user, groups, invalidUser } = connection;
  if (invalidUser) return NO_SUCH_USER;
  if (valuesOf("refuseconnection")[0] === "yes")
    return { because: "RefuseConnection is yes", keyword: "refuseconnection", item: null };
  const matches = (item: string): boolean => userItemMatches(item, connection, release);
  const denying = valuesOf("denyusers").find(matches);
  if (denying !== undefined)
    return { because: `DenyUsers names ${user}`, keyword: "denyusers", item: denying };
  const allowed = valuesOf("allowusers");
  if (allowed.length > 0 && !allowed.some(matches)) {
    const isAbout = (item: string): boolean => matchPattern(user ?? "", userPart(item, release), release);
    const item = allowed.find(isAbout) ?? null;
    return { because: `AllowUsers does not name ${user}`, keyword: "allowusers", item };
  }
  if (user === "root" && valuesOf("permitrootlogin")[0] === "no")
    return { because: "PermitRootLogin is no", keyword: "permitrootlogin", item: null };
  const isIn = (pattern: string): boolean =>
    (groups ?? []).some((group) => matchPattern(group, pattern, release));
  const deniedGroup = valuesOf("denygroups").find(isIn);
  if (deniedGroup !== undefined)
    return { because: `DenyGroups names a group of ${user}`, keyword: "denygroups", item: deniedGroup };
  const allowedGroups = valuesOf("allowgroups");
  if (allowedGroups.length > 0 && !allowedGroups.some(isIn))
    return { because: `AllowGroups names no group of ${user}`, keyword: "allowgroups", item: null };
  // groupaccess.c ga_init counts no group: a primary group without a name
  if (groups?.length === 0 && valuesOf("denygroups").length > 0)
    return { because: `DenyGroups is set, and ${user} is in no group`, keyword: "denygroups", item: null };
  return null;
}

function lackingMethods(valuesOf: ValuesOf): Refusal | null {
  const isEnabled = (keyword: string): boolean => isOn(valuesOf(keyword));
  const lists = methodLists(valuesOf("authenticationmethods"));
  if (lists === null)
    return SWITCHES.some(isEnabled)
      ? null
      : { because: "every way to authenticate is off", keyword: "pubkeyauthentication", item: null };
  return lists.some((list) => list.every(isEnabled))
    ? null
    : {
        because: "AuthenticationMethods asks for ways to authenticate that are off",
        keyword: "authenticationmethods",
        item: null,
      };
}

/** The last `@` divides from 9.9 on, the first before (match.c match_user). */
export function userPart(item: string, release: Release): string {
  const at = atLeast(release, "9.9") ? item.lastIndexOf("@") : item.indexOf("@");
  return at === -1 ? item : item.slice(0, at);
}

/** `pattern` or `pattern@hosts`; a negated item that fits refuses, be it about the address or the name (match.c match_host_and_ip). */
function userItemMatches(item: string, { user, host, addr }: Connection, release: Release): boolean {
  const name = userPart(item, release);
  if (user === null || !matchPattern(user, name, release)) return false;
  if (name.length === item.length) return true;
  return isFrom(item.slice(name.length + 1), { host, addr }, release);
}

/** match.c match_host_and_ip: a list that cannot be read holds nobody. */
export function isFrom(
  hosts: string,
  { host, addr }: Pick<Connection, "host" | "addr">,
  release: Release,
): boolean {
  const byAddress =
    addr === null ? 0 : matchAddressList(addr, parseAddressList(hosts, release).items, release);
  if (byAddress === "dies") return false;
  const byHost = host === null ? 0 : matchHostList(host, parsePatternList(hosts), release);
  return byAddress !== -1 && byHost !== -1 && (byAddress === 1 || byHost === 1);
}
