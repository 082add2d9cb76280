/** Addresses, networks and their lists: OpenSSH addr.c and addrmatch.c, with getaddrinfo(AI_NUMERICHOST) of glibc. */
import { type Address, parseAddress } from "./numeric-host.ts";
import { matchPattern } from "./patterns.ts";
import { atLeast, NEWEST, type Release } from "./release.ts";

export { type Address, parseAddress };

/** `bytes` has 4 or 16 entries; `length` counts leading bits; scope is the number of an IPv6 zone, 0 without. */
export interface Network {
  readonly bytes: readonly number[];
  readonly length: number;
  readonly scope: string;
}

/**
 * One item of an address list (addrmatch.c addr_match_list): a network, or text that is compared as a wildcard.
 * `invalid`: empty, a mask that is too long, or host bits set. From 8.4 sshd refuses the line; before, every
 * connection that gets as far as this item dies.
 */
export type AddressItem =
  | { readonly kind: "network"; readonly negated: boolean; readonly network: Network }
  | { readonly kind: "text"; readonly negated: boolean; readonly pattern: string }
  | { readonly kind: "invalid"; readonly negated: boolean; readonly text: string };

/** As ListMatch; "dies": an invalid item was reached, and sshd ends the connection. */
export type AddressListMatch = -1 | 0 | 1 | "dies";

/** The first item that addr_match_list cannot take; `start` counts bytes from the start of the list. */
export interface AddressListError {
  readonly item: string;
  readonly start: number;
  readonly cause: "empty" | "mask-too-long" | "host-bits";
}

export interface AddressList {
  readonly items: readonly AddressItem[];
  /** set for every release; whether sshd refuses the line for it depends on the release (fatal from 8.4) */
  readonly error: AddressListError | null;
}

/** Splits at commas with strsep: unlike in pattern lists a trailing comma does add an (invalid) empty item. */
export function parseAddressList(text: string, release: Release = NEWEST): AddressList {
  const items: AddressItem[] = [];
  let error: AddressListError | null = null;
  let start = 0;
  for (const piece of text.split(",")) {
    const negated = piece.startsWith("!");
    const body = negated ? piece.slice(1) : piece;
    const read = readItem(body, release);
    if (typeof read === "string") error ??= { item: body, start, cause: read };
    if (typeof read === "string") items.push({ kind: "invalid", negated, text: body });
    else if (read === null) items.push({ kind: "text", negated, pattern: body });
    else items.push({ kind: "network", negated, network: read });
    start += piece.length + 1;
  }
  return { items, error };
}

/** addr.c addr_pton_cidr: null where it gives up and the item becomes text. */
function readItem(text: string, release: Release): Network | AddressListError["cause"] | null {
  if (text === "") return "empty";
  if (text.length >= 64) return null;
  const slash = text.indexOf("/");
  const mask = slash === -1 ? null : readMask(text.slice(slash + 1), release);
  if (slash !== -1 && mask === null) return null;
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === null) return null;
  const bits = address.bytes.length * 8;
  const length = mask ?? bits;
  if (length > bits) return "mask-too-long";
  if (hasHostBits(address.bytes, length)) return "host-bits";
  return { bytes: address.bytes, length, scope: address.scope };
}

/** What nearly all are, and every release takes. */
const PLAIN_MASK = /^\d{1,2}$/;
const MASK = /^[ \t\n\v\f\r]*([+-]?)(\d+)$/;

/** The number after the slash: strtoul up to 9.0, with a leading digit from 9.1, strtonum from 9.8. */
function readMask(text: string, release: Release): number | null {
  if (PLAIN_MASK.test(text)) return Number(text);
  const match = MASK.exec(text);
  if (match === null) return null;
  const value = BigInt(match[2] ?? "");
  const negative = match[1] === "-";
  if (atLeast(release, "9.8")) {
    return value > 0x7fffffffn || (negative && value > 0n) ? null : Number(value);
  }
  if (atLeast(release, "9.1") && !/^\d/.test(text)) return null;
  // strtoul wraps a negative number around instead of refusing it.
  const wrapped = negative && value <= 0xffffffffffffffffn ? BigInt.asUintN(64, -value) : value;
  return wrapped > 128n ? null : Number(wrapped);
}

function hasHostBits(bytes: readonly number[], length: number): boolean {
  return bytes.some((byte, index) => (byte & (0xff >> clamp(length - index * 8))) !== 0);
}

function clamp(bits: number): number {
  return Math.min(8, Math.max(0, bits));
}

/** addr.c addr_netmatch: family and zone must be equal; a network without zone has zone 0. */
export function inNetwork(address: Address, network: Network): boolean {
  if (address.bytes.length !== network.bytes.length || address.scope !== network.scope) return false;
  for (let index = 0; index * 8 < network.length; index++) {
    const mask = 0xff & ~(0xff >> clamp(network.length - index * 8));
    if (((address.bytes[index] ?? 0) & mask) !== ((network.bytes[index] ?? 0) & mask)) return false;
  }
  return true;
}

let lastText = "";
let lastAddress: Address | null = null;

/** The same client is compared with one list after the other. */
function parseClient(text: string): Address | null {
  if (text !== lastText) {
    lastAddress = parseAddress(text);
    lastText = text;
  }
  return lastAddress;
}

/** addrmatch.c addr_match_list; text that is no address matches nothing, not even `*`. */
export function matchAddressList(
  addrText: string,
  items: readonly AddressItem[],
  release: Release = NEWEST,
): AddressListMatch {
  let positive: AddressListMatch = 0;
  for (const item of items) {
    if (item.kind === "text" && !matchPattern(addrText, item.pattern, release)) continue;
    // read where it counts only: most lists of text match nothing
    const address = parseClient(addrText);
    if (address === null) return 0;
    if (item.kind === "invalid") return "dies";
    if (item.kind === "network" && !inNetwork(address, item.network)) continue;
    if (item.negated) return -1;
    positive = 1;
  }
  return positive;
}
