/** Values out of a fixed set of words. */
import { equalIgnoringCase } from "../ascii.ts";
import { readNumber } from "../ports.ts";
import { atLeast } from "../release.ts";
import { type Arguments, counted, type FormReading, fatal, missing, nextFull } from "./arguments.ts";

/** What is accepted, and how `sshd -T` prints it. */
type Choices = Readonly<Record<string, string>>;

const FLAG: Choices = { yes: "yes", no: "no" };

/** The multistate_ tables of servconf.c. */
const CHOICES: Readonly<Record<string, Choices>> = {
  flag: FLAG,
  // 10.6 maps forwarding's words too, and prints what it maps them to (Debian's 10.6p1)
  "keep-alive": {
    yes: "true",
    true: "true",
    remote: "true",
    no: "false",
    false: "false",
    all: "all",
    local: "all",
  },
  "weak-crypto": { yes: "true", true: "true", no: "false", false: "false", "no-pq-kex": "false" },
  "tcp-forwarding": { yes: "yes", all: "yes", no: "no", remote: "remote", local: "local" },
  "gateway-ports": { clientspecified: "clientspecified", yes: "yes", no: "no" },
  "address-family": { inet: "inet", inet6: "inet6", any: "any" },
  compression: { yes: "yes", delayed: "yes", no: "no" },
  "ignore-rhosts": { yes: "yes", no: "no", "shosts-only": "shosts-only" },
  "privilege-separation": { yes: "yes", sandbox: "sandbox", nosandbox: "yes", no: "no" },
};

/** parse_flag and parse_multistate; up to 7.6 flags have their own texts and mind the case. */
export function readChoice(args: Arguments): FormReading {
  const { form } = args.keyword;
  const oldFlag = form === "flag" && !atLeast(args.release, "7.7");
  const word = nextFull(args);
  if (word === null) {
    const text = oldFlag ? "missing yes/no argument." : "missing argument.";
    return missing(args, text, text);
  }
  const choices = form === "root-login" ? rootLogin(args) : (CHOICES[form] ?? FLAG);
  const found = Object.keys(choices).find((name) =>
    oldFlag ? name === word.value : equalIgnoringCase(name, word.value),
  );
  if (found !== undefined) return [choices[found] ?? found];
  const text = oldFlag ? `Bad yes/no argument: ${word.value}` : `unsupported option "${word.value}".`;
  return fatal(args, "bad-choice", text, { word });
}

/** Both names mean the same; the table's first is printed. */
function rootLogin({ release }: Arguments): Choices {
  const printed = atLeast(release, "10.1") ? "prohibit-password" : "without-password";
  return {
    "without-password": printed,
    "prohibit-password": printed,
    "forced-commands-only": "forced-commands-only",
    yes: "yes",
    no: "no",
  };
}

const TUNNEL = ["no", "point-to-point", "ethernet", "yes"];

/** PermitTunnel minds the case. */
export function readTunnel(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "Missing yes/point-to-point/ethernet/no argument.");
  if (TUNNEL.includes(word.value)) return [word.value];
  const text = args.newer
    ? `bad ${args.spelled} argument ${word.value}`
    : `Bad yes/point-to-point/ethernet/no argument: ${word.value}`;
  return fatal(args, "bad-choice", text, { word });
}

/** log.c log_levels; DEBUG1 is printed as DEBUG. */
const LOG_LEVELS = ["QUIET", "FATAL", "ERROR", "INFO", "VERBOSE", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3"];
const LOG_FACILITIES = [
  "DAEMON",
  "USER",
  "AUTH",
  "AUTHPRIV",
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `LOCAL${n}`),
];

/** Debian's patch syslog-level-silent.patch adds SILENT, which is printed for QUIET too. */
export function readLogLevel(args: Arguments): FormReading {
  if (args.release.vendor !== "debian" && args.release.vendor !== "ubuntu")
    return readLogWord(args, LOG_LEVELS, "level");
  const read = readLogWord(args, ["SILENT", ...LOG_LEVELS], "level");
  return Array.isArray(read) && read[0] === "QUIET" ? ["SILENT"] : read;
}

export function readLogFacility(args: Arguments): FormReading {
  return readLogWord(args, LOG_FACILITIES, "facility");
}

function readLogWord(args: Arguments, names: readonly string[], what: string): FormReading {
  const word = args.next();
  const found = names.find((name) => word !== null && equalIgnoringCase(name, word.value));
  if (found !== undefined) return [found === "DEBUG1" ? "DEBUG" : found];
  return fatal(args, "bad-choice", `unsupported log ${what} '${word?.value ?? "<NONE>"}'`, { word });
}

/** digest-openssl.c digests */
const DIGESTS = ["MD5", "SHA1", "SHA256", "SHA384", "SHA512"];

export function readDigest(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "Missing argument.");
  const found = DIGESTS.find((name) => equalIgnoringCase(name, word.value));
  if (found !== undefined) return [found];
  const what = args.newer ? args.spelled : "hash";
  const text = `Invalid ${what} algorithm "${word.value}".`;
  return fatal(args, "bad-choice", text, { word });
}

/** PubkeyAuthOptions: printed in a fixed order. verify-required since 8.4, max-pk-ok (the last counts) since 10.6. */
export function readPubkeyAuthOptions(args: Arguments): FormReading {
  const known = atLeast(args.release, "8.4") ? ["touch-required", "verify-required"] : ["touch-required"];
  const chosen = new Set<string>();
  let queries: readonly string[] = [];
  for (let word = args.next(); word !== null; word = args.next()) {
    const { value } = word;
    if (value === "" && !args.newer) break;
    const found = [...known, "none"].find((name) => equalIgnoringCase(name, value));
    if (found !== undefined) {
      chosen.add(found);
      continue;
    }
    const limit = equalIgnoringCase(value.slice(0, 10), "max-pk-ok:") && atLeast(args.release, "10.6");
    if (!limit && !args.newer)
      return fatal(args, "bad-choice", `unsupported PubkeyAuthOptions option ${value}`, { word });
    if (!limit) return counted(args, "bad-choice", `unsupported ${args.spelled} option ${value}`, { word });
    const read = readNumber(value.slice(10), 0, 0x7fffffff);
    if ("wrong" in read) {
      const text = `bad ${args.spelled} max-pk-ok value: ${read.wrong}`;
      return counted(args, "bad-integer", text, { word });
    }
    queries = [`max-pk-ok:${read.value}`];
  }
  const values = known.filter((name) => chosen.has(name));
  return [...(values.length === 0 ? ["none"] : values), ...queries];
}

/** PermitUserEnvironment from 7.8: yes and no mind the case, anything else is a pattern list. */
export function readUserEnvironment(args: Arguments): FormReading {
  const word = nextFull(args);
  return word === null ? missing(args, "missing argument.") : [word.value];
}
