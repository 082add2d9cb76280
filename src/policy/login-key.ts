/**
 * What the options of the login's key leave of a grant: they only ever narrow it (sshd(8), AUTHORIZED_KEYS FILE FORMAT;
 * OpenSSH auth2-pubkeyfile.c auth_authorise_keyopts; semantics 7.4).
 */
import { lowerAscii } from "../../grammar/ascii.ts";
import { atLeast, type Release } from "../../grammar/release.ts";
import type { Connection } from "./connection.ts";
import { expiryOf, type KeyOption, keyOptionsOf, permittedEndpoint } from "./key-options.ts";
import { isFrom } from "./login.ts";

/** the one tun device that may be asked for; "any": none may be named; null: each */
export type TunUnit = number | "any" | null;

export interface LoginKey {
  readonly portForwarding: boolean;
  readonly agentForwarding: boolean;
  readonly x11Forwarding: boolean;
  /** permitopen items, which a destination must fit, too; null: any */
  readonly permitOpen: readonly string[] | null;
  /** the same for permitlisten, `host:port` */
  readonly permitListen: readonly string[] | null;
  readonly tunnel: TunUnit;
}

/** A key without options. */
export const PLAIN_KEY: LoginKey = {
  portForwarding: true,
  agentForwarding: true,
  x11Forwarding: true,
  permitOpen: null,
  permitListen: null,
  tunnel: null,
};

const SWITCHES: Readonly<Record<string, Partial<LoginKey>>> = {
  restrict: { portForwarding: false, agentForwarding: false, x11Forwarding: false },
  "port-forwarding": { portForwarding: true },
  "no-port-forwarding": { portForwarding: false },
  "agent-forwarding": { agentForwarding: true },
  "no-agent-forwarding": { agentForwarding: false },
  "x11-forwarding": { x11Forwarding: true },
  "no-x11-forwarding": { x11Forwarding: false },
};

/** In their order: `port-forwarding,restrict` is restricted. Options that say nothing of forwarding are passed over. */
export function readKeyOptions(text: string): LoginKey {
  let key = PLAIN_KEY;
  for (const { name, value } of optionsIn(text)) {
    key = { ...key, ...SWITCHES[name] };
    const endpoint = permittedBy(name, value);
    if (name === "permitopen") key = { ...key, permitOpen: [...(key.permitOpen ?? []), ...endpoint] };
    if (name === "permitlisten") key = { ...key, permitListen: [...(key.permitListen ?? []), ...endpoint] };
    if (name === "tunnel") key = { ...key, tunnel: lowerAscii(value) === "any" ? "any" : Number(value) };
  }
  return key;
}

/** As a list of the configuration writes it; none: the machine alone knows a port of that name. */
function permittedBy(name: string, value: string): readonly string[] {
  const { host, port } = permittedEndpoint(name, value) ?? { host: "", port: null };
  return port === null ? [] : [`${host.includes(":") ? `[${host}]` : host}:${port}`];
}

/** None where sshd reads none. */
function optionsIn(text: string): readonly KeyOption[] {
  const read = keyOptionsOf(text);
  return "because" in read ? [] : read.options;
}

/** Why sshd lets nobody in with a key that has these options, in words; null: it reads them. */
export function whyNoKeyOptions(text: string): string | null {
  const read = keyOptionsOf(text);
  if ("because" in read) return read.because;
  return read.length === text.length ? null : `a blank ends the options before "${text.slice(read.length)}"`;
}

export interface KeyUse {
  readonly connection: Connection;
  readonly release: Release;
  /** as Date has it */
  readonly now: number;
}

/** Why the options keep this login out; null: they do not, or that is not known. A key that is no certificate. */
export function whyNoLoginByKey(
  options: readonly KeyOption[],
  { connection, release, now }: KeyUse,
): string | null {
  const names = options.map(({ name }) => name);
  if (names.includes("cert-authority")) return "the key's cert-authority: certificates alone log in by it";
  if (names.includes("principals")) return "the key's principals: it is no certificate";
  const expired = options.find(({ name, value }) => name === "expiry-time" && (expiryOf(value) ?? 0) < now);
  if (expired !== undefined) return `the key's expiry-time="${expired.value}" is over`;
  const zoned = options.find(({ name, value }) => name === "expiry-time" && /[A-Za-z]$/.test(value));
  if (zoned !== undefined && !atLeast(release, "9.1"))
    return `the key's expiry-time="${zoned.value}": before 9.1 sshd reads no time with a zone`;
  const from = options.find(({ name }) => name === "from");
  if (from === undefined || isFrom(from.value, connection, release)) return null;
  return `the key's from="${from.value}" does not hold ${connection.addr}`;
}
