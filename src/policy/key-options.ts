/** The options in front of a key in an authorized_keys file (OpenSSH auth-options.c, sshauthopt_parse). */
import { lowerAscii } from "../../grammar/ascii.ts";
import { readNumber, readPort } from "../../grammar/ports.ts";
import { NEWEST } from "../../grammar/release.ts";

export interface KeyOption {
  /** in lower case */
  readonly name: string;
  /** empty for a flag */
  readonly value: string;
}

export interface KeyOptions {
  /** in their order */
  readonly options: readonly KeyOption[];
  /** characters up to the blank behind them */
  readonly length: number;
}

/** Names without a value, and those of them that "no-" may stand before. */
const FLAG =
  /^(?:restrict|cert-authority|(?:no-)?(?:port-forwarding|agent-forwarding|x11-forwarding|pty|user-rc|touch-required|verify-required))/i;
const WITH_VALUE =
  /^(command|principals|from|expiry-time|environment|permitopen|permitlisten|tunnel)=("(?:\\"|\\(?!")|[^"\\])*")?/i;
const BLANK = /^[ \t]/;

/** What stands at the start of the text; `because`: why sshd lets nobody in with a key that has these options, in words. */
export function keyOptionsOf(text: string): KeyOptions | { readonly because: string } {
  const options: KeyOption[] = [];
  for (let rest = text; ; rest = rest.slice(1)) {
    const taken = takeOption(rest);
    if (taken !== null) {
      const because = taken.because ?? whyNoOption(taken.option, options);
      if (because !== null) return { because };
      options.push(taken.option);
      rest = rest.slice(taken.length);
    }
    if (rest === "" || BLANK.test(rest)) return { options, length: text.length - rest.length };
    if (rest.startsWith(",")) continue;
    return {
      because:
        taken === null
          ? `sshd knows no key option "${/^[^,= \t]*/.exec(rest)?.[0]}"`
          : `a comma is missing before "${rest}"`,
    };
  }
}

interface Taken {
  readonly option: KeyOption;
  readonly length: number;
  readonly because: string | null;
}

function takeOption(text: string): Taken | null {
  const [flag] = FLAG.exec(text) ?? [];
  if (flag !== undefined)
    return { option: { name: lowerAscii(flag), value: "" }, length: flag.length, because: null };
  const [whole, named, quoted] = WITH_VALUE.exec(text) ?? [];
  if (whole === undefined || named === undefined) return null;
  const name = lowerAscii(named);
  return {
    option: { name, value: quoted?.slice(1, -1).replaceAll('\\"', '"') ?? "" },
    length: whole.length,
    because: quoted === undefined ? `the value of ${name} must stand in double quotes` : null,
  };
}

/** A second one of these makes sshd refuse the key. */
const ONCE: ReadonlySet<string> = new Set(["command", "principals", "from"]);

function whyNoOption({ name, value }: KeyOption, before: readonly KeyOption[]): string | null {
  if (ONCE.has(name) && before.some((other) => other.name === name)) return `${name} stands there twice`;
  const shape = SHAPES[name];
  return shape === undefined || shape.isRead(value) ? null : `${name}="${value}" is no ${shape.what}`;
}

/** misc.h SSH_TUNID_MAX */
const LAST_TUNNEL = 0x7fffffff - 2;

interface ValueShape {
  readonly isRead: (value: string) => boolean;
  readonly what: string;
}

const SHAPES: Readonly<Record<string, ValueShape>> = {
  permitopen: { isRead: (value) => permittedEndpoint("permitopen", value) !== null, what: "host:port" },
  permitlisten: { isRead: (value) => permittedEndpoint("permitlisten", value) !== null, what: "host:port" },
  "expiry-time": {
    isRead: (value) => expiryOf(value) !== null,
    what: "time as YYYYMMDD or YYYYMMDDHHMM[SS]",
  },
  environment: { isRead: (value) => /^[A-Za-z0-9_]+=/.test(value), what: "NAME=value" },
  tunnel: {
    isRead: (value) => lowerAscii(value) === "any" || "value" in readNumber(value, 0, LAST_TUNNEL),
    what: "number of a tunnel",
  },
};

export interface PermittedEndpoint {
  readonly host: string;
  /** null: a name that only the machine could know */
  readonly port: number | "*" | null;
}

/** auth-options.c handle_permit: a port alone stands for any host in permitlisten, and a slash divides, too (misc.c hpdelim2). */
export function permittedEndpoint(option: string, value: string): PermittedEndpoint | null {
  const text = option === "permitlisten" && !value.includes(":") ? `*:${value}` : value;
  const [, bracketed, plain = "", port = ""] = /^(?:\[([^\]]*)\]|([^[:/][^:/]*|))[:/](.*)$/s.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (port === "*") return { host, port };
  const number = readPort(port, NEWEST);
  if (number !== null) return number === 0 ? null : { host, port: number };
  // the machine knows ports by name, too (misc.c, a2port)
  return /^[A-Za-z_-][A-Za-z0-9_-]*$/.test(port) ? { host, port: null } : null;
}

const TIME = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z|UTC)?$/i;

/** As a number of Date; null: sshd reads no time (misc.c parse_absolute_time). Without a zone it is this machine's. */
export function expiryOf(text: string): number | null {
  const [, ...parts] = TIME.exec(text) ?? [];
  if (parts.length === 0) return null;
  const numbers = parts.slice(0, 6).map((part) => Number(part ?? 0));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbers;
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 61) return null;
  const time = [year, month - 1, day, hour, minute, second] as const;
  const at = parts[6] === undefined ? new Date(...time).getTime() : Date.UTC(...time);
  return at === 0 ? null : at;
}
