/** What -L, -R, -D, -W, -J and a destination say: OpenSSH readconf.c parse_forward, misc.c parse_user_host_port. */
import { isIPv6 } from "node:net";
import { readPort } from "../../grammar/ports.ts";
import { NEWEST } from "../../grammar/release.ts";
import type { Endpoint } from "./session.ts";

/** `host`: null when none was given, "" or "*" for every address. */
export type Listen =
  | { readonly kind: "tcp"; readonly host: string | null; readonly port: number }
  | { readonly kind: "socket"; readonly path: string };

/** "socks": the client says where, in SOCKS 4, 4a or 5. */
export type Target =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "socks" };

export interface Forward {
  /** who listens: this machine (-L, -D) or the server (-R) */
  readonly side: "local" | "remote";
  readonly listen: Listen;
  readonly target: Target;
}

export interface Destination {
  readonly user: string | null;
  readonly host: string;
  readonly port: number | null;
}

/** NI_MAXHOST and sun_path of Linux */
const LONGEST_HOST = 1024;
const LONGEST_PATH = 107;

type Field = { readonly text: string; readonly isPath: boolean };

/**
 * readconf.c parse_fwd_field, again and again: colons separate (and may end the last one), brackets keep them, a backslash
 * takes the next byte, of which no slash makes a path.
 */
function splitFields(text: string): readonly Field[] | null {
  const fields: Field[] = [];
  let rest = text.replace(/^[ \t]+/, "");
  // what a backslash alone ends is cut off before it is refused
  while (rest !== "\\" || fields.length === 0) {
    const match = /^(?:\[([^\]]*)\]|(?!\[)((?:\\[\s\S]|[^:\\])*))(?::|$)/.exec(rest);
    if (match === null) return null;
    const [whole, bracketed, plain = ""] = match;
    if (bracketed === undefined)
      fields.push({
        text: plain.replace(/\\([\s\S])/g, "$1"),
        isPath: plain.replace(/\\[\s\S]/g, "").includes("/"),
      });
    else fields.push({ text: bracketed, isPath: bracketed.includes("/") });
    rest = rest.slice(whole.length);
    if (rest === "") return fields;
  }
  return fields;
}

/** `[bind:]port:host:hostport`, a path on either side, or for `remote` also `[bind:]port`. Null: not one. */
export function parseForward(text: string, side: Forward["side"]): Forward | null {
  const fields = splitFields(text);
  if (fields === null || fields.length > 4) return null;
  const cut = fields[0]?.isPath === true || fields.length < 2 || fields.at(-1)?.isPath === true ? 1 : 2;
  const dynamic = side === "remote" ? parseDynamic(text, side) : null;
  if (dynamic !== null) return dynamic;
  const listen = listenOf(fields[0]?.isPath === true ? fields.slice(0, 1) : fields.slice(0, -cut));
  const target = targetOf(fields[0]?.isPath === true ? fields.slice(1) : fields.slice(-cut));
  return listen === null || target === null ? null : { side, listen, target };
}

/** A forward that is asked for again is one forward (readconf.c add_local_forward, add_remote_forward). */
export function distinctForwards(forwards: readonly Forward[]): readonly Forward[] {
  return [...new Map(forwards.map((forward) => [JSON.stringify(forward), forward])).values()];
}

/**
 * `[bind:]port`, or here a path, of which ssh(1) says nothing: the listener speaks SOCKS. With -R it takes a path, too, but
 * then never connects anybody (channels.c channel_connect_by_listen_path).
 */
export function parseDynamic(text: string, side: Forward["side"]): Forward | null {
  const fields = splitFields(text);
  if (fields === null || fields.length > 2) return null;
  const mayBePath = side === "local" && fields.length === 1;
  if (!mayBePath && fields.some(({ isPath }) => isPath)) return null;
  const listen = listenOf(fields);
  return listen === null ? null : { side, listen, target: { kind: "socks" } };
}

/** `path`, `port` or `bind:port`. Port 0, a free one, is ours for local listeners: ssh(1) has it for -R alone. */
function listenOf(fields: readonly Field[]): Listen | null {
  const [first, second] = fields;
  if (first === undefined || fields.length > 2) return null;
  if (first.isPath) return second === undefined ? socketOf(first.text) : null;
  const host = second === undefined ? null : first.text;
  const port = readPort((second ?? first).text, NEWEST);
  if (port === null || (host ?? "").length >= LONGEST_HOST) return null;
  return { kind: "tcp", host, port };
}

/** `path` or `host:port` */
function targetOf(fields: readonly Field[]): Target | null {
  const [first, second] = fields;
  if (first === undefined || fields.length > 2) return null;
  if (first.isPath) return second === undefined ? socketOf(first.text) : null;
  const port = second === undefined ? null : readPort(second.text, NEWEST);
  if (port === null || port === 0 || first.text === "" || first.text.length >= LONGEST_HOST) return null;
  return { kind: "tcp", host: first.text, port };
}

function socketOf(path: string): { readonly kind: "socket"; readonly path: string } | null {
  const socket = { kind: "socket", path } as const;
  return isTooLong(socket) ? null : socket;
}

export function isTooLong(end: Listen | Target): boolean {
  return end.kind === "socket" && Buffer.byteLength(end.path) > LONGEST_PATH;
}

/** Where -W leads. */
export type StandardTarget = Exclude<Target, { readonly kind: "socks" }>;

/** `host:port` of -W, or the path of a socket (from 9.4 on). */
export function parseStandardStreams(text: string): StandardTarget | null {
  const target = targetOf(splitFields(text) ?? []);
  return target?.kind === "socks" ? null : target;
}

/** `[user@]host`, `[user@]host:port` in -J, or `ssh://[user@]host[:port]` (misc.c parse_uri, parse_user_host_port). */
export function parseDestination(text: string, form: "host" | "host and port"): Destination | null {
  if (text.startsWith("ssh://")) return parseUri(text.slice("ssh://".length));
  const at = text.lastIndexOf("@");
  const user = at === -1 ? null : text.slice(0, at);
  const place = text.slice(at + 1);
  if (user === "") return null;
  if (form === "host") return isHost(place) ? { user, host: place, port: null } : null;
  const split = splitPlace(place);
  if (split === null || (user !== null && !isUser(user)) || !isHost(split.host)) return null;
  return { user, ...split };
}

/** What follows `ssh://`: no path, and parameters of the user are passed over. Addresses of IPv6, too, which ssh(1) refuses there. */
function parseUri(text: string): Destination | null {
  const [, info, place = ""] = /^(?:([^@]*)@)?([^/]*)\/?$/.exec(text) ?? [];
  const user = info === undefined ? null : decode(info.replace(/;.*$/s, ""));
  const split = splitPlace(place);
  if (split === null || user === undefined || user === "") return null;
  if (!isDomain(split.host) && !isIPv6(split.host)) return null;
  return { user, ...split, host: split.host.replace(/\.$/, "") };
}

/** misc.c valid_domain */
function isDomain(host: string): boolean {
  return /^[A-Za-z0-9](?:\.?[\w-])*\.?$/.test(host);
}

function splitPlace(place: string): { readonly host: string; readonly port: number | null } | null {
  const match = /^(?:\[([^\]]+)\]|(?!\[)([^:]+))(?::(.*))?$/.exec(place);
  if (match === null) return null;
  const [, bracketed, plain = "", digits = ""] = match;
  const port = digits === "" ? null : readPort(digits, NEWEST);
  if (digits !== "" && (port === null || port === 0)) return null;
  return { host: bracketed ?? plain, port };
}

/** ssh.c valid_hostname: nothing that looks like an option or that a shell or a terminal could read something into. */
function isHost(host: string): boolean {
  return host !== "" && !host.startsWith("-") && !/[\s'"`$\\;&<>|(){},\u0000-\u0020\u007f]/.test(host);
}

/** readconf.c ssh_valid_ruser, for a user of the command line: he may be empty. */
export function isUser(user: string): boolean {
  return !/^-|[\u0000-\u001f\u007f'`";&<>|(){}]|[\t-\r ]-|\\$/.test(user);
}

/** misc.c urldecode; undefined: what cannot be decoded, or no text in UTF-8. */
function decode(text: string): string | undefined {
  if (text.includes("%00")) return undefined;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** `host:port` as people write it, brackets around an IPv6 address */
export function showEndpoint({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
