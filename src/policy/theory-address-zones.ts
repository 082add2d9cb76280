/**
 * Link-local peers, `fe80::1%eth0`: the zone is a name, so address lists see them as text. Interfaces are taken to have a
 * usual name, one that a list spells out behind a `%`, or any other that shares nothing with the lists: those are alike.
 */
import type { AddressItem } from "../../grammar/addresses.ts";
import { valueOfV6 } from "./address-sets.ts";
import { type Found, found, NONE, UNKNOWN } from "./found.ts";
import { followGroups } from "./theory-address-groups.ts";
import { type AddressConstraint, fits, noTextFits } from "./theory-address-text.ts";
import type { Effort } from "./theory-names.ts";

export function findZoned(constraints: readonly AddressConstraint[], effort: Effort): Found<string> {
  if (constraints.some(excludesZoned)) return NONE;
  const usual = USUAL.map(withZone("fe80::1")).find((text) => fits(text, constraints));
  if (usual !== undefined) return found(usual);
  const items = constraints.flatMap((constraint) => constraint.items);
  const zones = [...USUAL, ...zonesIn(items), ...otherZones(items)];
  const candidates = [
    ...LINK_LOCAL.flatMap((address) => zones.map(withZone(address))),
    ...[..."0123456789"].map((digit) => `fe80::1%eth${digit}`),
    ...items.flatMap(instancesOf).filter(isZoned),
  ].filter((text) => ZONED.test(text));
  const fitting = candidates.find((text) => fits(text, constraints));
  if (fitting !== undefined) return found(fitting);
  const isSpelled = items.some(spellsZones);
  const reachable = isSpelled ? constraints : constraints.map(withinReach(candidates));
  if (noTextFits(reachable, "zoned", effort)) return NONE;
  return isSpelled ? UNKNOWN : followZoned(constraints, zones, effort);
}

/** None where the address alone decides; else a zone that is none of these may fit. */
function followZoned(
  constraints: readonly AddressConstraint[],
  zones: readonly string[],
  effort: Effort,
): Found<string> {
  return followGroups({
    stretches: [{ low: 0xfe80n << 112n, high: (0xfec0n << 112n) - 1n }],
    // no network holds them
    lists: constraints.map(({ items, met }) => ({
      items: items.flatMap((item) => (item.kind === "text" ? [item] : [])),
      met,
    })),
    fitting: (address) => {
      const zoned = zones.map(withZone(address)).find((text) => fits(text, constraints));
      return zoned === undefined ? UNKNOWN : found(zoned);
    },
    effort,
  });
}

/** Without the items that only an interface with the name of a host fits, as `*.example.net`. */
function withinReach(candidates: readonly string[]): (constraint: AddressConstraint) => AddressConstraint {
  const isReached = (item: AddressItem): boolean =>
    item.kind !== "text" ||
    !/[^0-9a-f:*?]/.test(item.pattern) ||
    candidates.some((text) => fits(text, [{ items: [{ ...item, negated: false }], met: true }]));
  return ({ items, met }) => ({ items: items.filter(isReached), met });
}

/** What interfaces are usually called. */
const USUAL: readonly string[] = [
  "eth0",
  "lo",
  "eno1",
  "ens3",
  "enp1s0",
  "wlan0",
  "br0",
  "docker0",
  "bond0",
  "tun0",
  "wg0",
  "eth0.100",
];

/** One with each digit, others of fe80::/10, and a long one. */
const LINK_LOCAL: readonly string[] = [
  ...[..."123456789abcdef"].map((digit) => `fe80::${digit}`),
  ...["fe90::1", "fea0::1", "feb0::1", "fe80::1234:5678:9abc:def0", "fe80:1::1"],
];

const ZONED = /^fe[89ab][0-9a-f]:.*%[^%/,:\0-\x20]+$/;

function isZoned(text: string): boolean {
  return valueOfV6(text.split("%", 1)[0] ?? "") !== null;
}

function withZone(address: string): (zone: string) => string {
  return (zone) => `${address}%${zone}`;
}

function zonesIn(items: readonly AddressItem[]): readonly string[] {
  return items.flatMap((item) =>
    item.kind === "network" && item.network.scope !== "0" ? [item.network.scope] : [],
  );
}

/** Linux: IFNAMSIZ without the NUL */
const LONGEST_NAME = 15;

/** Names of each length, of a letter that no list holds. */
function otherZones(items: readonly AddressItem[]): readonly string[] {
  const patterns = items.map((item) => (item.kind === "text" ? item.pattern : "")).join("");
  const letter = [..."xqjkvwyzghbmnoprstulicdfae0123456789_-"].find((one) => !patterns.includes(one));
  if (letter === undefined) return [];
  return Array.from({ length: LONGEST_NAME }, (_, more) => letter.repeat(more + 1));
}

/** Texts that a pattern fits, in the hope that one is an address with a zone. */
function instancesOf(item: AddressItem): string[] {
  if (item.kind !== "text") return [];
  return ["", "::1%eth0", "1%eth0", "%eth0", "eth0", "f", "fe80::", "fe80::1"].map((fill) =>
    item.pattern
      .replace(/\*+/, fill)
      .replace(/\*/g, "")
      .replace(/\?/g, (_, at: number) => "fe8"[at] ?? "1"),
  );
}

/** A list that must match, and none of its items can. */
function excludesZoned({ items, met }: AddressConstraint): boolean {
  return met && items.every((item) => item.negated || !mayBeZoned(item));
}

function mayBeZoned(item: AddressItem): boolean {
  if (item.kind === "network") return item.network.scope !== "0";
  return item.kind === "text" && beginsZoned(item.pattern);
}

/** `fe80::*lan`, `*%eth0`: about interfaces, and not about hosts. */
function spellsZones(item: AddressItem): boolean {
  if (item.kind === "network") return item.network.scope !== "0";
  if (item.kind === "invalid" || /^\*+$/.test(item.pattern)) return false;
  return beginsZoned(item.pattern) && (item.pattern.includes("%") || NAMES_ZONE.test(item.pattern));
}

/** More behind an address than one may hold. */
const NAMES_ZONE = /^[^*?].*[^0-9a-f:*?]/;

/** fe80::/10, as it is printed */
const ZONED_START = ["f", "e", "89ab"] as const;

function beginsZoned(pattern: string): boolean {
  for (const [index, letters] of ZONED_START.entries()) {
    const letter = pattern[index];
    if (letter === "*") return true;
    if (letter === undefined || (letter !== "?" && !letters.includes(letter))) return false;
  }
  return true;
}
