/** Text to address as glibc's getaddrinfo(AI_NUMERICHOST) does it: inet_aton forms, IPv6 text, zones. */

/** `bytes` has 4 or 16 entries; scope is the zone's number, its name where only the machine knows the number, "0" without. */
export interface Address {
  readonly bytes: readonly number[];
  readonly scope: string;
}

/** Null when the text is no numeric address: host names, `[::1]`, `10.0.0.300`, the empty text. */
export function parseAddress(text: string): Address | null {
  const v4 = readPlainIPv4(text) ?? readShortIPv4(text);
  if (v4 !== null) return { bytes: v4, scope: "0" };
  const percent = text.indexOf("%");
  const v6 = readIPv6(percent === -1 ? text : text.slice(0, percent));
  if (v6 === null) return null;
  if (percent === -1) return { bytes: v6, scope: "0" };
  const scope = readZone(v6, text.slice(percent + 1));
  return scope === null ? null : { bytes: v6, scope };
}

const DOT = 46;
const ZERO = 48;

/** What nearly all are: four decimal parts without leading zeros. Null: spelled in another way, or no address. */
function readPlainIPv4(text: string): number[] | null {
  if (text.length > "255.255.255.255".length) return null;
  const bytes: number[] = [];
  let part: number | null = null;
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (part === null || part > 0xff) return null;
      bytes.push(part);
      part = null;
    } else {
      const digit = code - ZERO;
      if (digit < 0 || digit > 9 || part === 0) return null;
      part = (part ?? 0) * 10 + digit;
    }
  }
  // a copy has no room that is never used
  return bytes.length === 4 ? bytes.slice() : null;
}

/** By how many parts stand in front of it. */
const LARGEST_LAST_PART = [0xffffffff, 0xffffff, 0xffff, 0xff];
const TOO_MANY = -1;

/** inet_aton: one to four parts, decimal, octal (`010`) or hexadecimal (`0xa`); the last fills the bytes that are left. */
function readShortIPv4(text: string): number[] | null {
  if (text.length > 64) return null;
  const parts = text.split(".").map(readPart);
  const last = parts.pop() ?? null;
  if (last === null || last > (LARGEST_LAST_PART[parts.length] ?? TOO_MANY)) return null;
  const bytes: number[] = [];
  for (const part of parts) {
    if (part === null || part > 0xff) return null;
    bytes.push(part);
  }
  for (let shift = 8 * (3 - parts.length); shift >= 0; shift -= 8) bytes.push((last / 2 ** shift) & 0xff);
  return bytes;
}

function readPart(text: string): number | null {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9][0-9]*$/.test(text) ? Number.parseInt(text, 10) : null;
}

/** inet_pton(AF_INET6): eight groups, one `::` for at least one group, a dotted IPv4 at the end. */
function readIPv6(text: string): number[] | null {
  if (text.length > 45 || !text.includes(":")) return null;
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = readGroups(halves[0] ?? "", halves.length === 1);
  if (halves.length === 1) return head?.length === 16 ? head : null;
  const tail = readGroups(halves[1] ?? "", true);
  if (head === null || tail === null || head.length + tail.length > 14) return null;
  return [...head, ...Array<number>(16 - head.length - tail.length).fill(0), ...tail];
}

function readGroups(text: string, dottedEnd: boolean): number[] | null {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      const dotted = dottedEnd && index === groups.length - 1 ? readDotted(group) : null;
      if (dotted === null) return null;
      bytes.push(...dotted);
    }
  }
  return bytes;
}

/** inet_pton(AF_INET): four decimal parts without leading zeros. */
function readDotted(text: string): number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 0xff) ? bytes : null;
}

/**
 * inet6_scopeid_pton; no interface is taken to have a wildcard in its name: a link-local address may name an interface, any address a number up to 2^32-1. `lo` is
 * interface 1 on Linux; other names stay names, for only the machine knows their number.
 */
function readZone(bytes: readonly number[], zone: string): string | null {
  const [first = 0, second = 0] = bytes;
  const linkLocal = first === 0xfe && (second & 0xc0) === 0x80;
  const multicastLinkLocal = first === 0xff && (second & 0x0f) === 0x02;
  if (/^[0-9]+$/.test(zone))
    return zone.length <= 40 && Number(zone) <= 0xffffffff ? String(Number(zone)) : null;
  const interfaceName = /^[!-).+,\-0->@-~]{1,15}$/.test(zone);
  if (!(linkLocal || multicastLinkLocal) || !interfaceName) return null;
  return zone === "lo" ? "1" : zone;
}

/** getnameinfo(NI_NUMERICHOST): dotted decimal, or IPv6 with its longest run of zero groups as `::`. */
export function formatAddress({ bytes, scope }: Address): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0),
  );
  const zone = scope === "0" ? "" : `%${scope === "1" ? "lo" : scope}`;
  const dotted = bytes.slice(12).join(".");
  const leading = groups.findIndex((group) => group !== 0);
  if (leading === 6 || (leading === 5 && groups[5] === 0xffff))
    return `::${leading === 5 ? "ffff:" : ""}${dotted}${zone}`;
  const run = longestZeroRun(groups);
  const text = groups.map((group) => group.toString(16));
  if (run.length < 2) return text.join(":") + zone;
  return `${text.slice(0, run.start).join(":")}::${text.slice(run.start + run.length).join(":")}${zone}`;
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
