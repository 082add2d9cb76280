/** PerSourcePenalties and IPQoS. */
import { equalIgnoringCase } from "../ascii.ts";
import { readNumber } from "../ports.ts";
import { atLeast, type Release } from "../release.ts";
import { type Arguments, type FormReading, fatal, listWords, missing, nextFull } from "./arguments.ts";
import { readDecimalTime, readInteger, readTime } from "./numbers.ts";

/** Keys with a time, and the release that brought them. */
const PENALTIES: Readonly<Record<string, string>> = {
  crash: "9.8",
  authfail: "9.8",
  invaliduser: "10.3",
  noauth: "9.8",
  "grace-exceeded": "9.8",
  refuseconnection: "9.9",
  max: "9.8",
  min: "9.8",
};

/** Values are `key:value` as -T prints them (seconds; from 10.3 with six decimals), or a lone `yes` or `no`. */
export function readPenalties(args: Arguments): FormReading {
  const words = listWords(args);
  const values: string[] = [];
  for (const [index, word] of words.entries()) {
    const { value } = word;
    if (equalIgnoringCase(value, "yes") || equalIgnoringCase(value, "no")) {
      if (index < words.length - 1) {
        const text = `keyword ${args.spelled} "${value}" argument must appear alone.`;
        return fatal(args, "not-alone", text, { word });
      }
      values.push(equalIgnoringCase(value, "yes") ? "yes" : "no");
      continue;
    }
    const read = readPenalty(value, args);
    if ("wrong" in read) return fatal(args, "bad-penalty", read.wrong, { word });
    values.push(read.value);
  }
  return words.length === 0 ? fatal(args, "missing-argument", `no ${args.spelled} specified`) : values;
}

function readPenalty(text: string, { spelled, release }: Arguments): { value: string } | { wrong: string } {
  const colon = text.indexOf(":");
  const key = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  const since = Object.hasOwn(PENALTIES, key) ? PENALTIES[key] : undefined;
  if (since !== undefined && atLeast(release, since)) {
    const time = readPenaltyTime(rest, release);
    return time === null ? { wrong: `invalid ${spelled} time value.` } : { value: `${key}:${time}` };
  }
  if (key === "max-sources4" || key === "max-sources6") {
    const read = readInteger(rest);
    return "value" in read ? { value: `${key}:${read.value}` } : { wrong: `${spelled} value ${read.wrong}.` };
  }
  const overflow = key === "overflow" || key === "overflow6";
  if (overflow && (rest === "deny-all" || rest === "permissive")) return { value: text };
  return { wrong: `unsupported ${spelled} keyword ${text}` };
}

function readPenaltyTime(text: string, release: Release): string | null {
  if (!atLeast(release, "10.3")) return readTime(text, release)?.toString() ?? null;
  return readDecimalTime(text)?.toFixed(6) ?? null;
}

/** misc.c ipqos[]: the first name of a value is printed. */
const TYPES_OF_SERVICE: readonly (readonly [string, number, string])[] = [
  ["none", -1, "7.6"],
  ["af11", 0x28, "7.4"],
  ["af12", 0x30, "7.4"],
  ["af13", 0x38, "7.4"],
  ["af21", 0x48, "7.4"],
  ["af22", 0x50, "7.4"],
  ["af23", 0x58, "7.4"],
  ["af31", 0x68, "7.4"],
  ["af32", 0x70, "7.4"],
  ["af33", 0x78, "7.4"],
  ["af41", 0x88, "7.4"],
  ["af42", 0x90, "7.4"],
  ["af43", 0x98, "7.4"],
  ["cs0", 0x00, "7.4"],
  ["cs1", 0x20, "7.4"],
  ["cs2", 0x40, "7.4"],
  ["cs3", 0x60, "7.4"],
  ["cs4", 0x80, "7.4"],
  ["cs5", 0xa0, "7.4"],
  ["cs6", 0xc0, "7.4"],
  ["cs7", 0xe0, "7.4"],
  ["ef", 0xb8, "7.4"],
  ["le", 0x04, "8.9"],
  ["le", 0x01, "8.2"],
  ["va", 0xb0, "10.3"],
  ["lowdelay", 0x10, "7.4"],
  ["throughput", 0x08, "7.4"],
  ["reliability", 0x04, "7.4"],
];

/** One value counts for both kinds of traffic. */
export function readIpQos(args: Arguments): FormReading {
  const first = args.newer ? nextFull(args) : args.next();
  if (first === null && args.newer) return missing(args, "");
  const interactive = readTypeOfService(first?.value ?? "", args.release);
  const name = args.newer ? args.spelled : "IPQoS";
  if (interactive === null)
    return fatal(args, "bad-ip-qos", `Bad ${name} value: ${first?.value ?? "(null)"}`, { word: first });
  const second = args.next();
  const bulk = second === null ? interactive : readTypeOfService(second.value, args.release);
  if (bulk === null)
    return fatal(args, "bad-ip-qos", `Bad ${name} value: ${second?.value ?? ""}`, { word: second });
  return [interactive, bulk];
}

function readTypeOfService(text: string, release: Release): string | null {
  const known = TYPES_OF_SERVICE.filter(
    ([, , since], index) => atLeast(release, since) && !replaced(index, release),
  );
  const named = known.find(([name]) => equalIgnoringCase(name, text));
  const value = named?.[1] ?? readServiceNumber(text, release);
  if (value === null) return null;
  // From 10.1 the names of RFC 1349 mean "leave it to the system", which is printed as none.
  const retired = ["lowdelay", "throughput", "reliability"];
  // Debian has taken it into 10.0 (1:10.0p1-7+deb13u3).
  const modern = atLeast(release, release.vendor === "debian" ? "10.0" : "10.1");
  if (modern && named !== undefined && retired.includes(named[0])) return "none";
  const printable = modern ? known.filter(([name]) => !retired.includes(name)) : known;
  return printable.find(([, code]) => code === value)?.[0] ?? `0x${value.toString(16).padStart(2, "0")}`;
}

/** defines.h IPTOS_DSCP_LE was 1 up to 8.8: of two rows with one name the first that the release has counts. */
function replaced(index: number, release: Release): boolean {
  const name = TYPES_OF_SERVICE[index]?.[0];
  return TYPES_OF_SERVICE.slice(0, index).some(
    ([earlier, , since]) => earlier === name && atLeast(release, since),
  );
}

/** strtol base 0 up to 9.7, strtonum from 9.8; 0 to 255. */
function readServiceNumber(text: string, release: Release): number | null {
  if (atLeast(release, "9.8")) {
    const read = readNumber(text, 0, 255);
    return "value" in read ? read.value : null;
  }
  const match = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  const digits = match?.[2] ?? "";
  const octal = /^0[0-7]+$/.test(digits);
  const value = octal ? Number.parseInt(digits, 8) : Number(digits === "" ? "x" : digits);
  if (!(value <= 255) || (match?.[1] === "-" && value !== 0)) return null;
  return value;
}
