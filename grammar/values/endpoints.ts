/** Hosts with ports: Port, ListenAddress, PermitOpen, PermitListen. */
import { formatAddress, parseAddress } from "../numeric-host.ts";
import { readPort, servicePremise } from "../ports.ts";
import { atLeast, type Release } from "../release.ts";
import type { Word } from "../tree.ts";
import {
  type Arguments,
  type FormReading,
  fatal,
  isRefusal,
  missing,
  nextFull,
  notePort,
} from "./arguments.ts";

export function readPortForm(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "missing port number.", "missing port number.");
  const port = readPort(word.value, args.release);
  if (port === null || port === 0) return fatal(args, "bad-port", "Badly formatted port number.", { word });
  notePort(args, word, word.value);
  return [String(port)];
}

/** The host without its brackets, and the text behind the colon (null: no colon). */
interface HostPort {
  readonly host: string;
  readonly port: string | null;
}

/** misc.c hpdelim and cleanhostname: a host ends at `:`; `/` did the same up to 7.9. Null: unusable. */
function splitHostPort(text: string, release: Release): HostPort | null {
  const bracket = text.startsWith("[") ? text.indexOf("]") : -1;
  if (text.startsWith("[") && bracket === -1) return null;
  const from = bracket + 1;
  const at = bracket === -1 ? text.search(/[:/]/) : from < text.length ? from : -1;
  if (at === -1) return { host: cleanHost(text), port: null };
  const delimiter = text.charAt(at);
  if (delimiter !== ":" && (delimiter !== "/" || atLeast(release, "8.0"))) return null;
  return { host: cleanHost(text.slice(0, at)), port: text.slice(at + 1) };
}

function cleanHost(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

/**
 * The value is `1.2.3.4:22` or `[::1]:22`, without `:22` where the line has no port (then each Port counts); numeric
 * addresses as `sshd -T` prints them, names as typed (only a resolver knows more).
 */
export function readListenAddress(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "missing address", "missing address");
  const read = readListenHost(args, word);
  if ("refused" in read) return read;
  if (atLeast(args.release, "7.7")) {
    const more = args.next();
    if (more !== null) {
      const domain = more.value === "rdomain" ? args.next() : null;
      // An empty leftover has no meaning of its own: strcmp with "rdomain" fails.
      if (domain === null) return fatal(args, "bad-listen", "bad ListenAddress syntax", { word: more });
      return fatal(args, "bad-routing-domain", "bad routing domain", { word: domain });
    }
  }
  const address = parseAddress(read.host);
  const text = address === null ? read.host : formatAddress(address);
  const host = text.includes(":") ? `[${text}]` : text;
  return [read.port === 0 ? host : `${host}:${read.port}`];
}

function readListenHost(
  args: Arguments,
  word: Word,
): { host: string; port: number } | { refused: [] } | ReturnType<typeof fatal> {
  const text = word.value;
  const colons = text.split(":").length - 1;
  if (!text.includes("[") && colons >= 2) return { host: text, port: 0 };
  const split = splitHostPort(text, args.release);
  if (split === null) return fatal(args, "bad-listen", "bad address:port usage", { word });
  if (split.port === null) return { host: split.host, port: 0 };
  const port = readPort(split.port, args.release);
  if (port === null || port === 0) return fatal(args, "bad-port", "bad port number", { word });
  notePort(args, word, split.port);
  return { host: split.host, port };
}

/** How the messages name the keyword: the word as written from 8.7, lookup_opcode_name from 7.8, fixed before. */
function permitName(args: Arguments): string {
  if (args.newer) return args.spelled;
  return atLeast(args.release, "7.8") ? args.keyword.key : "PermitOpen";
}

/** PermitOpen and PermitListen. */
export function readPermitList(args: Arguments): FormReading {
  return atLeast(args.release, "9.7") ? readPermitItems(args) : readPermitLine(args);
}

/** Up to 9.6 `any` and `none` end the line, and an empty word ends the list. */
function readPermitLine(args: Arguments): FormReading {
  const first = nextFull(args);
  if (first === null) return missing(args, `missing ${permitName(args)} specification`);
  if (first.value === "any" || first.value === "none") return [first.value];
  const values: string[] = [];
  for (let word: Word | null = first; word !== null && word.value !== ""; word = args.next()) {
    const item = readPermitItem(args, word);
    if (isRefusal(item)) return item;
    values.push(...item);
  }
  return values;
}

/** From 9.7 items may follow a first `any` or `none`: accepted, and sshd then ends the connections it serves. */
function readPermitItems(args: Arguments): FormReading {
  const values: string[] = [];
  for (let word = args.next(); word !== null; word = args.next()) {
    const alone = word.value === "any" || word.value === "none";
    if (alone && values.length > 0)
      return fatal(args, "permit-not-alone", `${word.value} must appear alone on a ${args.spelled} line.`, {
        word,
      });
    const item = alone ? [word.value] : readPermitItem(args, word);
    if (isRefusal(item)) return item;
    if (values[0] === "any" || values[0] === "none") noteMoreWords(args, word, values[0]);
    values.push(...item);
  }
  return values.length === 0 ? missing(args, "") : values;
}

function noteMoreWords(args: Arguments, word: Word, first: string): void {
  noteLockout(args, word, `"${word.value}" after "${first}" ends every connection that this line governs`);
}

/** Behind its chroot sshd finds no /etc/services, when it reads the list again before the login (monitor_wrap.c mm_getpwnamallow). */
function noteServiceName(args: Arguments, word: Word, port: string): void {
  if (servicePremise(port) === null) return;
  noteLockout(
    args,
    word,
    `it names the port "${port}", and before a login sshd has no /etc/services to look names up in. Write the number`,
  );
}

function noteLockout(args: Arguments, word: Word, message: string): void {
  args.note({
    code: "permit-list-lockout",
    weight: "silent",
    message,
    prefix: "none",
    span: word,
    when: "always",
  });
}

function readPermitItem(args: Arguments, word: Word): FormReading {
  const { value } = word;
  const bare = args.keyword.form === "permit-listen" && !value.includes(":");
  const split = bare ? { host: "*", port: value } : splitHostPort(value, args.release);
  const name = permitName(args);
  if (split === null)
    return fatal(args, "permit-no-host", args.newer ? `${name} missing host` : `missing host in ${name}`, {
      word,
    });
  const port = split.port === "*" ? 0 : readPort(split.port ?? "", args.release);
  if (port === null || (port === 0 && split.port !== "*"))
    return fatal(args, "bad-port", args.newer ? `${name} bad port number` : `bad port number in ${name}`, {
      word,
    });
  if (port !== 0) {
    notePort(args, word, split.port ?? "");
    noteServiceName(args, word, split.port ?? "");
  }
  // Up to 7.5 the items are kept as host and number, and printed so; `*` is 0.
  if (!atLeast(args.release, "7.6")) return [`${split.host}:${port}`];
  return [bare ? `*:${value}` : value];
}
