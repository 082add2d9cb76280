/** Algorithm lists: which names a release knows, and what a list with `+`, `-` or `^` comes to. */
import * as table from "./algorithm-table.ts";
import { equalIgnoringCase } from "./ascii.ts";
import { matchPatternList, parsePatternList } from "./patterns.ts";
import { atLeast, type Release } from "./release.ts";

export type AlgorithmKind = "kex" | "ciphers" | "macs" | "key-types" | "ca-key-types";

const NAMES: Readonly<Record<AlgorithmKind, readonly table.AlgorithmRow[]>> = {
  kex: table.KEX,
  ciphers: table.CIPHERS,
  macs: table.MACS,
  "key-types": table.KEY_TYPES,
  "ca-key-types": table.KEY_TYPES,
};

const DEFAULTS: Readonly<Record<AlgorithmKind, readonly table.DefaultRow[]>> = {
  kex: table.DEFAULT_KEX,
  ciphers: table.DEFAULT_CIPHERS,
  macs: table.DEFAULT_MACS,
  "key-types": table.DEFAULT_KEY_TYPES,
  "ca-key-types": table.DEFAULT_CA_KEY_TYPES,
};

export function isAlgorithmKind(form: string): form is AlgorithmKind {
  return Object.hasOwn(NAMES, form);
}

function namesAt(rows: readonly table.AlgorithmRow[], release: Release): readonly string[] {
  return rows
    .filter(
      ({ since, until }) =>
        atLeast(release, since ?? "7.4") && !(until !== undefined && atLeast(release, until)),
    )
    .map(({ name }) => name);
}

/** In the order in which wildcards expand. */
function inOrder(names: readonly string[], release: Release): readonly string[] {
  if (atLeast(release, "9.2")) return names;
  const { OLD_KEY_TYPE_ORDER: order } = table;
  return [...names.filter((name) => !order.includes(name)), ...order.filter((name) => names.includes(name))];
}

/** The Debian backport of the default list brings its name along. */
export function knownAlgorithms(kind: AlgorithmKind, release: Release): readonly string[] {
  const names = namesAt(NAMES[kind], release);
  return [...new Set([...names, ...(kind === "kex" ? defaultAlgorithms(kind, release) : [])])];
}

/** What `sshd -T` prints where the keyword is not set (myproposal.h). */
export function defaultAlgorithms(kind: AlgorithmKind, release: Release): readonly string[] {
  const row = DEFAULTS[kind].findLast(
    ({ from, vendors }) => atLeast(release, from) && (vendors?.includes(release.vendor) ?? true),
  );
  return row?.names.split(",") ?? [];
}

/**
 * The first name that the release refuses; null when all are fine. The list ends at an empty item. Key types may be
 * patterns that hit any type (sshkey_names_valid2); from 9.4 CA key types may not be certificates.
 */
export function unknownAlgorithm(
  list: string,
  kind: AlgorithmKind,
  release: Release,
): { readonly name: string } | null {
  const keys = kind === "key-types" || kind === "ca-key-types";
  const known = knownAlgorithms(kind, release);
  const shortNames = keys ? namesAt(table.KEY_SHORT_NAMES, release) : [];
  const plainOnly = kind === "ca-key-types" && atLeast(release, "9.4");
  if (list === "") return { name: "" };
  for (const name of list.split(",")) {
    if (name === "") return null;
    const certificate = plainOnly && isCertificate(name);
    if (known.includes(name) && !certificate) continue;
    if (shortNames.some((short) => equalIgnoringCase(short, name))) continue;
    const items = parsePatternList(name);
    const pattern = keys && !certificate && known.some((one) => matchPatternList(one, items, release) !== 0);
    if (!pattern) return { name };
  }
  return null;
}

function isCertificate(name: string): boolean {
  return name.includes("-cert-v01@") || name.endsWith("-cert");
}

/** kex.c kex_names_cat: what is added ends at an empty name. */
function added(list: string): readonly string[] {
  const names = list.split(",");
  const end = names.indexOf("");
  return end === -1 ? names : names.slice(0, end);
}

/** kex.c kex_assemble_names. Null: an empty or negated list, for which sshd gives up after the whole file is read. */
export function assembleAlgorithms(list: string, kind: AlgorithmKind, release: Release): string | null {
  const ordered = inOrder(knownAlgorithms(kind, release), release);
  const all = ordered.filter((name) => kind !== "ca-key-types" || !isCertificate(name));
  const byDefault = defaultAlgorithms(kind, release);
  const rest = list.slice(1);
  if (list.startsWith("-") && atLeast(release, "7.5")) {
    const items = parsePatternList(rest);
    const left = byDefault.filter((name) => matchPatternList(name, items, release) !== 1);
    // An empty list counts as unset when -T assembles the lists a second time.
    return (left.length === 0 ? byDefault : left).join(",");
  }
  const extended = list.startsWith("+")
    ? [...byDefault, ...added(rest)]
    : list.startsWith("^") && atLeast(release, "8.1")
      ? [...rest.split(","), ...byDefault]
      : list.split(",");
  if (!atLeast(release, "8.0")) return list.startsWith("+") ? [...new Set(extended)].join(",") : list;
  if (extended.some((item) => item.startsWith("!"))) return null;
  const found = extended.flatMap((item) => {
    if (all.includes(item)) return [item];
    const items = parsePatternList(item);
    return all.filter((name) => matchPatternList(name, items, release) === 1);
  });
  return found.length === 0 ? null : [...new Set(found)].join(",");
}
