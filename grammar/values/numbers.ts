/** Integers, times, sizes, modes and the small languages made of them. */
import { equalIgnoringCase, lowerAscii } from "../ascii.ts";
import { readNumber } from "../ports.ts";
import { atLeast, type Release } from "../release.ts";
import { type Arguments, type FormReading, fatal, missing, nextFull } from "./arguments.ts";

const INT_MAX = 0x7fffffff;
const LONG_LONG_MAX = 0x7fffffffffffffffn;

/** misc.c atoi_err: sshd's word for what is wrong, or the number. */
export function readInteger(text: string | null): { readonly value: number } | { readonly wrong: string } {
  return text === null || text === "" ? { wrong: "missing" } : readNumber(text, 0, INT_MAX);
}

/** parse_int; up to 7.6 atoi, which takes any text and negative numbers. */
export function readIntegerForm(args: Arguments): FormReading {
  const word = args.next();
  if (!atLeast(args.release, "7.7")) {
    if (word === null || word.value === "") return missing(args, "missing integer value.");
    return [String(atoi(word.value))];
  }
  const read = readInteger(word?.value ?? null);
  if ("value" in read) return [String(read.value)];
  return badInteger(args, read.wrong, word);
}

function badInteger(args: Arguments, wrong: string, word: ReturnType<Arguments["next"]>): FormReading {
  const text = args.newer ? `${args.spelled} integer value ${wrong}.` : `integer value ${wrong}.`;
  return fatal(args, "bad-integer", text, { word });
}

/** strtol, saturating, then cut to an int; 0 without digits. */
function atoi(text: string): number {
  const match = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)/.exec(text);
  const digits = BigInt(match?.[2]?.slice(0, 40) ?? "0");
  const size = digits > LONG_LONG_MAX ? LONG_LONG_MAX : digits;
  return Number(BigInt.asIntN(32, match?.[1] === "-" ? -size : size));
}

/** PerSourceMaxStartups: `none` minds the case. */
export function readIntegerOrNone(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "Missing PerSourceMaxStartups spec.");
  if (word.value === "none") return ["none"];
  const read = readInteger(word.value);
  if ("value" in read) return [read.value === INT_MAX ? "none" : String(read.value)];
  return badInteger(args, read.wrong, word);
}

export function readTimeForm(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "missing time value.", "missing time value.");
  const seconds = readTime(word.value, args.release);
  if (seconds === null) return fatal(args, "bad-time", "invalid time value.", { word });
  return [String(seconds)];
}

/** UnusedConnectionTimeout; zero prints as none. */
export function readTimeOrNone(args: Arguments): FormReading {
  if (equalIgnoringCase(args.peek()?.value ?? "", "none")) {
    args.next();
    return ["none"];
  }
  const read = readTimeForm(args);
  return Array.isArray(read) && read[0] === "0" ? ["none"] : read;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** misc.c convtime in seconds; null where it refuses. */
export function readTime(text: string, release: Release): number | null {
  if (atLeast(release, "10.3")) {
    const seconds = readDecimalTime(text);
    return seconds === null || seconds > INT_MAX ? null : Math.trunc(seconds);
  }
  // 7.5 to 8.3 forget to reset the unit, so 1m30s is 60 + 30 * 60.
  const sticky = atLeast(release, "7.5") && !atLeast(release, "8.4");
  const limit = atLeast(release, "8.5") ? BigInt(INT_MAX) : 0x7fffffffffffffffn;
  const segment = atLeast(release, "9.8")
    ? /([0-9]+)([smhdwSMHDW]|$)/y
    : /[ \t\n\v\f\r]*([+]?[0-9]+|-0+)([smhdwSMHDW]|$)/y;
  let total = 0n;
  let unit = 1;
  if (text === "") return null;
  while (segment.lastIndex < text.length) {
    const match = segment.exec(text);
    if (match === null) return null;
    const letter = lowerAscii(match[2] ?? "");
    if (!(sticky && (letter === "" || letter === "s"))) unit = UNITS[letter] ?? 1;
    total += BigInt((match[1] ?? "0").replace("+", "")) * BigInt(unit);
    if (total > limit) return null;
  }
  const stored = Number(BigInt.asIntN(32, total));
  return stored === -1 ? null : stored;
}

/** misc.c convtime_double, from 10.3: seconds may have a fraction and may come once. */
export function readDecimalTime(text: string): number | null {
  const segment = /([0-9.]+)([smhdwSMHDW]|$)/y;
  let total = 0;
  let seconds = 0;
  if (text === "") return null;
  while (segment.lastIndex < text.length) {
    const match = segment.exec(text);
    const digits = match?.[1] ?? "";
    if (match === null || !/^([0-9]+\.?[0-9]*|\.[0-9]+)$/.test(digits)) return null;
    const unit = UNITS[lowerAscii(match[2] ?? "")] ?? 1;
    if (unit === 1 && ++seconds > 1) return null;
    if (digits.includes(".") && (unit > 1 || digits.endsWith("."))) return null;
    total += Number(digits) * unit;
  }
  return total;
}

/** StreamLocalBindMask: strtol base 8, what follows the digits is ignored. Null: not one. */
export function parseOctalMode(text: string): number | null {
  const match = /^[ \t\n\v\f\r]*([+-]?)([0-7]+)/.exec(text);
  const mode = Number.parseInt(match?.[2] ?? "", 8);
  const negative = match?.[1] === "-" && mode !== 0;
  return mode <= 0o777 && !negative ? mode : null;
}

export function readOctalMode(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "missing StreamLocalBindMask argument.");
  const mode = parseOctalMode(word.value);
  if (mode === null)
    return fatal(args, "bad-mode", args.newer ? `Invalid ${args.spelled}.` : "Bad mask.", { word });
  return [`0${mode.toString(8)}`];
}

/** sscanf's %d:%d:%d: how many numbers it reads before it stops. */
function scanColons(text: string): readonly number[] {
  const numbers: number[] = [];
  let rest = text;
  for (;;) {
    const match = /^[ \t\n\v\f\r]*([+-]?[0-9]+)/.exec(rest);
    if (match === null) return numbers;
    numbers.push(atoi(match[1] ?? ""));
    rest = rest.slice(match[0].length);
    if (!rest.startsWith(":")) return numbers;
    rest = rest.slice(1);
  }
}

/** `begin` or `begin:rate:max`. 10.1 and 10.2 lose the begin of the short form. */
export function readMaxStartups(args: Arguments): FormReading {
  const { release } = args;
  const word = nextFull(args);
  if (word === null) return missing(args, "Missing MaxStartups spec.");
  const numbers = scanColons(word.value).slice(0, 3);
  const [begin = 0, rate = 30, max = begin] = numbers;
  const full = numbers.length === 3;
  const positive = !atLeast(release, "9.2") || (max > 0 && begin > 0);
  const ordered = !full || (begin <= max && rate >= 1 && rate <= 100);
  if ((!full && numbers.length !== 1) || !ordered || !positive) {
    const text = args.newer ? `Invalid ${args.spelled} spec.` : "Illegal MaxStartups spec.";
    return fatal(args, "bad-startups", text, { word });
  }
  const lost = !full && atLeast(release, "10.1") && !atLeast(release, "10.3");
  // -1 is how an unset number is kept, so the default comes back (9.2 and later refuse it).
  return [`${lost || begin === -1 ? 10 : begin}:${rate}:${max === -1 ? 100 : max}`];
}

/** `v4` or `v4:v6`. Up to 10.2 a missing v6 length is not set at all; Debian's 9.2 shows 0. */
export function readNetBlockSize(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "Missing PerSourceNetBlockSize spec.");
  const numbers = scanColons(word.value).slice(0, 2);
  const [v4 = -1, v6] = numbers;
  if (v4 < 0 || v4 > 32 || (v6 !== undefined && (v6 < 0 || v6 > 128)))
    return fatal(
      args,
      "bad-block-size",
      `Invalid ${args.newer ? args.spelled : "PerSourceNetBlockSize"} spec.`,
      { word },
    );
  return [`${v4}:${v6 ?? (atLeast(args.release, "10.3") ? 128 : 0)}`];
}

const SCALES = "bkmgtpe";

/** fmt_scaled.c scan_scaled: a decimal with a unit letter, in bytes; else the errno text. */
function readSize(text: string): bigint | string {
  const match = /^[ \t\n\v\f\r]*([+-]?)([0-9]*)\.?([0-9]*)([\x00-\xff]?)([\x00-\xff]?)/.exec(text);
  if (match === null) return "Invalid argument";
  const [, sign = "", whole = "", fraction = "", unit = "", after = ""] = match;
  if (whole.length >= 21 || BigInt(whole || "0") > LONG_LONG_MAX) return "Numerical result out of range";
  const signed = sign === "-" ? -BigInt(whole || "0") : BigInt(whole || "0");
  if (unit === "") return signed;
  const power = SCALES.indexOf(lowerAscii(unit));
  if (power === -1 || /[0-9A-Za-z]/.test(after)) return "Invalid argument";
  const scale = 1024n ** BigInt(power);
  if (signed > LONG_LONG_MAX / scale || signed < -(LONG_LONG_MAX / scale))
    return "Numerical result out of range";
  const digits = fraction.slice(0, 19);
  const part = (BigInt(digits || "0") * scale) / 10n ** BigInt(digits.length);
  return signed * scale + (sign === "-" ? -part : part);
}

/** RekeyLimit: a size or `default`, then a time or `none`. The values are the parts that the line sets. */
export function readRekeyLimit(args: Arguments): FormReading {
  const { newer, spelled } = args;
  const word = nextFull(args);
  if (word === null) return missing(args, "Missing argument.");
  const size = word.value === "default" ? 0n : readSize(word.value);
  if (typeof size === "string") {
    const text = `Bad ${newer ? `${spelled} ` : ""}number '${word.value}': ${size}`;
    return fatal(args, "bad-size", text, { word });
  }
  if (size !== 0n && size < 16n)
    return fatal(args, "bad-size", `${newer ? spelled : "RekeyLimit"} too small`, { word });
  if (!args.more()) return [String(size)];
  if (restIsNone(args)) {
    args.next();
    return [String(size)];
  }
  const interval = readTimeForm(args);
  return "refused" in interval ? interval : [String(size), ...interval];
}

/** From 8.7 the word, before it all the text that is left, must be `none`. */
function restIsNone(args: Arguments): boolean {
  const word = args.peek();
  if (word === null) return false;
  const { rest } = args.line;
  return (args.newer ? word.value : rest.text.slice(word.start - rest.start)) === "none";
}
