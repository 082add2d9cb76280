/** The directives of ssh_config(5) that this forwarder knows, and their values by type. */
import { lowerAscii } from "../../grammar/ascii.ts";
import { readPort } from "../../grammar/ports.ts";
import { NEWEST } from "../../grammar/release.ts";
import { readTime } from "../../grammar/values/numbers.ts";
import { splitWords } from "../../grammar/words.ts";
import type { Directive } from "./client-config.ts";
import { SshFailure } from "./failure.ts";

/** Every keyword that has a meaning here. `-o` with another one is refused, a file may hold what it likes. */
const KEYWORDS = [
  "AddressFamily",
  "BatchMode",
  "BindAddress",
  "ClearAllForwardings",
  "ConnectTimeout",
  "DynamicForward",
  "ExitOnForwardFailure",
  "GatewayPorts",
  "GlobalKnownHostsFile",
  "HostKeyAlias",
  "HostName",
  "IdentitiesOnly",
  "IdentityAgent",
  "IdentityFile",
  "KbdInteractiveAuthentication",
  "KnownHostsCommand",
  "LocalForward",
  "NumberOfPasswordPrompts",
  "PasswordAuthentication",
  "Port",
  "PreferredAuthentications",
  "ProxyCommand",
  "ProxyJump",
  "PubkeyAuthentication",
  "RemoteForward",
  "RevokedHostKeys",
  "ServerAliveCountMax",
  "ServerAliveInterval",
  "StreamLocalBindMask",
  "StreamLocalBindUnlink",
  "StrictHostKeyChecking",
  "User",
  "UserKnownHostsFile",
] as const;

/** `Keyword=value` or `Keyword value` of -o. Throws an SshFailure for what is unknown. */
export function parseOption(text: string): Directive {
  const match = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(text);
  const keyword = lowerAscii(match?.[1] ?? "");
  if (match === null || !KEYWORDS.some((known) => lowerAscii(known) === keyword))
    throw new SshFailure(
      "configuration",
      `-o ${text}: not an option of this forwarder, which knows ${KEYWORDS.join(", ")}`,
    );
  const value = match[2] ?? "";
  const { words, closed } = splitWords(value, 0, value.length);
  if (!closed) throw new SshFailure("configuration", `-o ${text}: invalid quotes`);
  const args = words.length === 0 ? [""] : words.map((word) => word.value);
  return { keyword, args, place: "-o" };
}

const YES_NO = { yes: true, true: true, no: false, false: false } as const;

/** Null where the keyword is not set. They throw an SshFailure ("configuration") for a value that cannot be. */
export interface Reader {
  readonly has: (keyword: string) => boolean;
  readonly place: (keyword: string) => string;
  readonly first: (keyword: string) => string | null;
  readonly list: (keyword: string) => readonly string[] | null;
  readonly all: (keyword: string) => readonly (readonly string[])[];
  readonly one: <T>(keyword: string, values: Readonly<Record<string, T>>) => T | null;
  readonly yes: (keyword: string) => boolean | null;
  readonly number: (keyword: string) => number | null;
  /** a time as sshd_config(5) writes it ("TIME FORMATS"), in seconds; null also for none */
  readonly seconds: (keyword: string) => number | null;
  readonly port: (keyword: string) => number | null;
}

/** The first directive of a keyword counts. */
export function readDirectives(directives: readonly Directive[]): Reader {
  const find = (keyword: string): Directive | undefined =>
    directives.find((directive) => directive.keyword === keyword);
  const first = (keyword: string): string | null => find(keyword)?.args[0] ?? null;
  const place = (keyword: string): string => find(keyword)?.place ?? "";
  const one = <T>(keyword: string, values: Readonly<Record<string, T>>): T | null => {
    const text = first(keyword);
    if (text === null) return null;
    const name = lowerAscii(text);
    if (!Object.hasOwn(values, name)) throw wrong(place(keyword), keyword, `"${text}" is no value of it`);
    return values[name] ?? null;
  };
  return {
    has: (keyword) => find(keyword) !== undefined,
    place,
    first,
    list: (keyword) => find(keyword)?.args ?? null,
    all: (keyword) => directives.filter((one) => one.keyword === keyword).map(({ args }) => args),
    one,
    yes: (keyword) => one<boolean>(keyword, YES_NO),
    number: (keyword) => {
      const text = first(keyword);
      if (text === null || lowerAscii(text) === "none") return null;
      if (!/^[0-9]{1,7}$/.test(text)) throw wrong(place(keyword), keyword, `"${text}" is no number`);
      return Number(text);
    },
    seconds: (keyword) => {
      const text = first(keyword);
      if (text === null || lowerAscii(text) === "none") return null;
      const seconds = readTime(text, NEWEST);
      if (seconds === null) throw wrong(place(keyword), keyword, `"${text}" is no time`);
      return seconds;
    },
    port: (keyword) => {
      const text = first(keyword);
      const port = text === null ? null : readPort(text, NEWEST);
      if (text !== null && (port === null || port === 0))
        throw wrong(place(keyword), keyword, `"${text}" is no port`);
      return port;
    },
  };
}

export function wrong(place: string, keyword: string, because: string): SshFailure {
  const name = KEYWORDS.find((known) => lowerAscii(known) === keyword) ?? keyword;
  return new SshFailure("configuration", `${place} ${name}: ${because}`);
}
