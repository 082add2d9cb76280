/** What the values of ssh_config(5) say that have a meaning here (readconf.c process_config_line_depth). */
import { lowerAscii } from "../../grammar/ascii.ts";
import { readPort } from "../../grammar/ports.ts";
import { NEWEST } from "../../grammar/release.ts";
import { parseOctalMode, readInteger, readTime } from "../../grammar/values/numbers.ts";

/** Every keyword that has a meaning here, and what it says. `-o` with another one is refused, a file may hold what it likes. */
interface Values {
  readonly AddressFamily: 4 | 6 | null;
  readonly BatchMode: boolean;
  readonly BindAddress: string;
  readonly ClearAllForwardings: boolean;
  readonly ConnectTimeout: number | null;
  readonly DynamicForward: string;
  readonly ExitOnForwardFailure: boolean;
  readonly GatewayPorts: boolean;
  readonly GlobalKnownHostsFile: string;
  readonly HostKeyAlias: string;
  readonly HostName: string;
  readonly IdentitiesOnly: boolean;
  readonly IdentityAgent: string;
  readonly IdentityFile: string;
  readonly KbdInteractiveAuthentication: boolean;
  readonly KnownHostsCommand: string;
  readonly LocalForward: string;
  readonly NumberOfPasswordPrompts: number;
  readonly PasswordAuthentication: boolean;
  readonly Port: number;
  readonly PreferredAuthentications: string;
  readonly ProxyCommand: string;
  readonly ProxyJump: string;
  readonly PubkeyAuthentication: boolean;
  readonly RemoteForward: string;
  readonly RevokedHostKeys: string;
  readonly ServerAliveCountMax: number;
  readonly ServerAliveInterval: number | null;
  readonly StreamLocalBindMask: number;
  readonly StreamLocalBindUnlink: boolean;
  readonly StrictHostKeyChecking: "yes" | "ask" | "accept-new" | "no";
  readonly User: string;
  readonly UserKnownHostsFile: string;
}

/** Undefined: ssh(1) refuses it. */
type Parse<T> = (text: string) => T | undefined;

const text: Parse<string> = (value) => (value === "" ? undefined : value);

function oneOf<T>(values: Readonly<Record<string, T>>): Parse<T> {
  return (value) => {
    const name = lowerAscii(value);
    return Object.hasOwn(values, name) ? values[name] : undefined;
  };
}

const YES_NO = { yes: true, true: true, no: false, false: false } as const;
const flag = oneOf<boolean>(YES_NO);

const integer: Parse<number> = (value) => {
  const read = readInteger(value);
  return "value" in read ? read.value : undefined;
};

/** In seconds; null: none. */
const time: Parse<number | null> = (value) =>
  value === "none" ? null : (readTime(value, NEWEST) ?? undefined);

const port: Parse<number> = (value) => readPort(value, NEWEST) || undefined;

/** `$NAME` is a variable. */
const agent: Parse<string> = (value) => (/^\$(?!\{)(?![A-Za-z0-9_]+$)/.test(value) ? undefined : text(value));

const strictness = oneOf({
  yes: "yes",
  true: "yes",
  ask: "ask",
  "accept-new": "accept-new",
  no: "no",
  off: "no",
  false: "no",
} as const);

const VALUES: { readonly [K in keyof Values]: Parse<Values[K]> } = {
  AddressFamily: oneOf({ any: null, inet: 4, inet6: 6 } as const),
  BatchMode: flag,
  BindAddress: text,
  ClearAllForwardings: flag,
  ConnectTimeout: time,
  DynamicForward: text,
  ExitOnForwardFailure: flag,
  GatewayPorts: flag,
  GlobalKnownHostsFile: text,
  HostKeyAlias: text,
  HostName: text,
  IdentitiesOnly: flag,
  IdentityAgent: agent,
  IdentityFile: text,
  KbdInteractiveAuthentication: flag,
  KnownHostsCommand: text,
  LocalForward: text,
  NumberOfPasswordPrompts: integer,
  PasswordAuthentication: flag,
  Port: port,
  PreferredAuthentications: text,
  ProxyCommand: text,
  ProxyJump: text,
  PubkeyAuthentication: oneOf<boolean>({ ...YES_NO, unbound: true, "host-bound": true }),
  RemoteForward: text,
  RevokedHostKeys: text,
  ServerAliveCountMax: integer,
  ServerAliveInterval: time,
  StreamLocalBindMask: (value) => parseOctalMode(value) ?? undefined,
  StreamLocalBindUnlink: flag,
  StrictHostKeyChecking: strictness,
  User: text,
  UserKnownHostsFile: text,
};

export type KnownKeyword = keyof Values;
export type ValueOf<K extends KnownKeyword> = Values[K];

export const KNOWN_KEYWORDS: readonly KnownKeyword[] = Object.keys(VALUES) as KnownKeyword[];

export function parseValue<K extends KnownKeyword>(keyword: K, value: string): ValueOf<K> | undefined {
  return VALUES[keyword](value);
}

/** In OpenSSH's spelling; undefined: it has no meaning here. */
export function knownKeyword(keyword: string): KnownKeyword | undefined {
  return KNOWN_KEYWORDS.find((known) => lowerAscii(known) === keyword);
}

type HowMany = "one" | "one or two" | "two" | "any";

/** Arguments that are not one. */
const ARGUMENTS: Partial<Readonly<Record<KnownKeyword, HowMany>>> = {
  GlobalKnownHostsFile: "any",
  LocalForward: "two",
  RemoteForward: "one or two",
  RevokedHostKeys: "any",
  UserKnownHostsFile: "any",
};
const MOST = { one: 1, "one or two": 2, two: 2, any: Number.POSITIVE_INFINITY } as const satisfies Record<
  HowMany,
  number
>;

/** Why ssh(1) stops at these arguments of a keyword that is known here, in its words; null: it does not. */
export function refusedArguments(keyword: KnownKeyword, args: readonly string[]): string | null {
  const count = ARGUMENTS[keyword] ?? "one";
  const wrong = args.slice(0, MOST[count]).find((value) => parseValue(keyword, value) === undefined);
  if (wrong === "") return "Missing argument";
  if (wrong !== undefined) return `"${wrong}" is no value of ${keyword}`;
  if (count === "two" && args.length < 2) return "Missing target argument";
  if (args.length > MOST[count]) return "extra arguments at end of line";
  return count === "any" && args.length > 1 && args.some((value) => lowerAscii(value) === "none")
    ? '"none" argument must appear alone'
    : null;
}
