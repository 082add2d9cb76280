/** What a release of sshd knows about a keyword: a reader of keyword-table.ts. */
import { defaultAlgorithms, isAlgorithmKind } from "./algorithms.ts";
import { lowerAscii, lowerForSearch } from "./ascii.ts";
import { ALIASES, KEYWORDS, RETIRED } from "./keyword-table.ts";
import { atLeast, type Release, type Vendor } from "./release.ts";
import { forEachRelease } from "./remember.ts";

/** How the arguments are read: see values.ts. */
export type ValueForm =
  | "flag" // yes, no
  | "keep-alive"
  | "weak-crypto"
  | "tcp-forwarding"
  | "gateway-ports"
  | "root-login"
  | "address-family"
  | "compression"
  | "ignore-rhosts"
  | "privilege-separation"
  | "tunnel"
  | "integer"
  | "integer-or-none"
  | "time"
  | "time-or-none"
  | "octal-mode"
  | "port"
  | "listen-address"
  | "permit-open"
  | "permit-listen"
  | "file"
  | "host-file"
  | "user-file"
  | "user-files"
  | "agent-path"
  | "agent-socket"
  | "security-key-provider"
  | "string"
  | "local-user"
  | "raw"
  | "command"
  | "version-addendum"
  | "env-names"
  | "env-values"
  | "users"
  | "groups"
  | "auth-methods"
  | "pubkey-auth-options"
  | "user-environment"
  | "subsystem"
  | "routing-domain"
  | "rekey-limit"
  | "ip-qos"
  | "max-startups"
  | "net-block-size"
  | "penalties"
  | "address-list"
  | "channel-timeouts"
  | "log-level"
  | "log-facility"
  | "log-verbose"
  | "digest"
  | "ciphers"
  | "macs"
  | "kex"
  | "gss-kex"
  | "key-types"
  | "ca-key-types"
  | "match"
  | "include";

/**
 * Which of several lines counts, within the global lines and within the matching blocks:
 * `first` value · `first-line`: the first line with the keyword, whole · `append`: all · `last` · `first-per-name`:
 * Subsystem, by the first word of the value · `first-per-key`: PerSourcePenalties, by the text up to the colon ·
 * `first-per-part`: RekeyLimit, each value position on its own · `first-but-none-last`: UnusedConnectionTimeout, where
 * the word `none` wins wherever it stands.
 */
export type Sets =
  | "first"
  | "first-line"
  | "append"
  | "last"
  | "first-per-name"
  | "first-per-key"
  | "first-per-part"
  | "first-but-none-last";

/** `line`: `sshd -T` prints all values on one line · `each`: one line a value · `never`: not printed. */
export type Print = "line" | "each" | "never";

/** What must be compiled in; without it the keyword is "Unsupported". `gssapi-kex` missing makes it unknown. */
export type Feature = "pam" | "gssapi" | "gssapi-kex" | "krb5" | "afs" | "lastlog";

/** Facts that may differ by release. `default` holds the values joined by spaces; null: -T prints nothing. */
interface Facts {
  readonly name: string;
  readonly form: ValueForm;
  readonly sets: Sets;
  readonly match: boolean;
  readonly print: Print;
  readonly default: string | null;
  readonly source: string;
}

/** From `from` up to, without, `to`, for all vendors or the named ones. */
interface FactChange extends Partial<Facts> {
  readonly from: string;
  readonly to?: string;
  readonly vendors?: readonly Vendor[];
}

interface Existence {
  /** first release; absent: older than 7.4 */
  readonly since?: string;
  /** first release without it */
  readonly until?: string;
  /** absent: everybody has it */
  readonly vendors?: readonly Vendor[];
  readonly source?: string;
}

/** Left out: sets "first", match false, print "line", default null. */
export interface KeywordRow extends Existence, Partial<Omit<Facts, "name" | "form" | "source">> {
  readonly name: string;
  readonly form: ValueForm;
  readonly needs?: Feature;
  readonly changes?: readonly FactChange[];
}

export interface AliasRow extends Existence {
  readonly name: string;
  /** key of the keyword */
  readonly of: string;
  readonly match?: boolean;
  readonly needs?: Feature;
}

export interface RetiredRow extends Existence {
  readonly name: string;
  readonly status: "deprecated" | "ignored" | "unsupported";
  readonly match?: boolean;
}

/** A keyword as one release knows it. */
export interface Keyword {
  /** canonical spelling of the release */
  readonly name: string;
  /** the name in lower case; what `sshd -T` prints up to 10.3 */
  readonly key: string;
  readonly form: ValueForm;
  readonly sets: Sets;
  readonly inMatch: boolean;
  readonly print: Print;
  /** compiled-in values as `sshd -T` prints them; null where it prints nothing */
  readonly defaults: readonly string[] | null;
  /** where a lone `none`, in any case, is no value at all; elsewhere it is kept as written */
  readonly noneClears: "never" | "global" | "everywhere";
  readonly source: string;
}

export type KeywordStatus = "known" | "deprecated" | "ignored" | "unsupported" | "unknown";

/**
 * `keyword` is set for known keywords and for those whose code is compiled out ("unsupported": the line warns and sets
 * nothing). `inMatch` belongs to the spelling: an alias may be global only where its keyword is not.
 */
export interface LookedUp {
  readonly status: KeywordStatus;
  readonly keyword: Keyword | null;
  readonly inMatch: boolean;
}

const TABLE_SOURCE =
  "servconf.c keywords[], process_server_config_line, fill_default_server_options, dump_config of the release";

const UNKNOWN: LookedUp = { status: "unknown", keyword: null, inMatch: false };

const rowsByName = indexByName(KEYWORDS);
const aliasesByName = indexByName(ALIASES);
const retiredByName = indexByName(RETIRED);

interface Named {
  readonly name: string;
  /** other names of the row in some releases */
  readonly changes?: readonly { readonly name?: string }[];
}

/** By names in lower case. Every start waits for it. */
function indexByName<Row extends Named>(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  const index = new Map<string, Row[]>();
  const add = (name: string, row: Row): void => {
    const key = lowerForSearch(name);
    const known = index.get(key);
    if (known === undefined) index.set(key, [row]);
    else if (!known.includes(row)) known.push(row);
  };
  for (const row of rows) {
    add(row.name, row);
    if (row.changes === undefined) continue;
    for (const { name } of row.changes) if (name !== undefined) add(name, row);
  }
  return index;
}

/** servconf.c parse_token: the whole word, ASCII case ignored. */
export function lookUpKeyword(spelled: string, release: Release): LookedUp {
  const known = lookedUp(release);
  const before = known.get(spelled);
  if (before !== undefined) return before;
  const found = lookUp(lowerAscii(spelled), release);
  // words that are no keywords are anybody's, and without number
  if (found !== UNKNOWN) known.set(spelled, found);
  return found;
}

const lookedUp = forEachRelease(() => new Map<string, LookedUp>());

function lookUp(key: string, release: Release): LookedUp {
  for (const row of rowsByName.get(key) ?? []) {
    if (!exists(row, release)) continue;
    const keyword = keywordAt(row, release);
    if (keyword.key !== key) continue;
    if (built(row.needs, release)) return { status: "known", keyword, inMatch: keyword.inMatch };
    if (row.needs !== "gssapi-kex") return { status: "unsupported", keyword, inMatch: keyword.inMatch };
  }
  for (const row of aliasesByName.get(key) ?? []) {
    if (!exists(row, release) || !built(row.needs, release)) continue;
    return { ...lookUpKeyword(row.of, release), inMatch: row.match ?? false };
  }
  for (const row of retiredByName.get(key) ?? []) {
    if (exists(row, release)) return { status: row.status, keyword: null, inMatch: row.match ?? false };
  }
  return UNKNOWN;
}

/** All keywords that take effect in a release, Match and Include too, in the order of the table. */
export function knownKeywords(release: Release): readonly Keyword[] {
  const known = knownByRelease.get(release);
  if (known !== undefined) return known;
  const keywords = KEYWORDS.filter((row) => exists(row, release))
    .filter((row) => built(row.needs, release))
    .map((row) => keywordAt(row, release));
  knownByRelease.set(release, keywords);
  return keywords;
}

const knownByRelease = new WeakMap<Release, readonly Keyword[]>();

function built(needs: Feature | undefined, release: Release): boolean {
  return needs === undefined || hasFeature(needs, release);
}

function exists(row: Existence, release: Release): boolean {
  if (row.vendors !== undefined && !row.vendors.includes(release.vendor)) return false;
  if (row.since !== undefined && !atLeast(release, row.since)) return false;
  return row.until === undefined || !atLeast(release, row.until);
}

function keywordAt(row: KeywordRow, release: Release): Keyword {
  let facts: Facts = {
    name: row.name,
    form: row.form,
    sets: row.sets ?? "first",
    match: row.match ?? false,
    print: row.print ?? "line",
    default: row.default ?? null,
    source: row.source ?? TABLE_SOURCE,
  };
  for (const { from, to, vendors, ...change } of row.changes ?? []) {
    const ended = to !== undefined && atLeast(release, to);
    const applies = atLeast(release, from) && !ended && (vendors?.includes(release.vendor) ?? true);
    if (applies) facts = { ...facts, ...change };
  }
  const key = lowerAscii(facts.name);
  return {
    name: facts.name,
    key,
    form: facts.form,
    sets: facts.sets,
    inMatch: facts.match,
    print: facts.print,
    defaults: defaultsOf(facts, key, release),
    noneClears: noneClears(key, release),
    source: facts.source,
  };
}

function defaultsOf(facts: Facts, key: string, release: Release): readonly string[] | null {
  if (isAlgorithmKind(facts.form)) return [defaultAlgorithms(facts.form, release).join(",")];
  if (facts.default === null || (facts.default === "none" && !printsNone(key, release))) return null;
  return facts.default.split(" ");
}

/** 7.4's dump_cfg_string prints nothing for a string that is unset. */
function printsNone(key: string, release: Release): boolean {
  return atLeast(release, "7.5") || key === "versionaddendum";
}

/** CLEAR_ON_NONE and CLEAR_ON_NONE_ARRAY of fill_default_server_options, as far as the value form leaves it to them. */
function noneClears(key: string, release: Release): Keyword["noneClears"] {
  if (key === "authorizedprincipalsfile") return atLeast(release, "10.6") ? "everywhere" : "global";
  if (key === "channeltimeout") return "global";
  const list = key === "authorizedkeysfile" || key === "revokedkeys";
  return list && atLeast(release, "10.3") ? "global" : "never";
}

/**
 * What the packages (upstream: the recorded builds) compile in. Debian: `sshd -T` of 8.4 to 10.0; its plain 10.6
 * package is built without GSSAPI, and where between 10.0 and 10.6 that began is not known. Red Hat: spec file of
 * Fedora 33. Alpine's plain openssh-server has none of them.
 */
export function hasFeature(feature: Feature, release: Release): boolean {
  const debian = release.vendor === "debian" || release.vendor === "ubuntu";
  const redHat = release.vendor === "rhel" || release.vendor === "fedora";
  switch (feature) {
    case "lastlog":
      return true;
    case "afs":
      return false;
    case "pam":
      return debian || redHat;
    case "gssapi":
    case "gssapi-kex":
    case "krb5":
      return redHat || (debian && !atLeast(release, "10.1"));
  }
}
