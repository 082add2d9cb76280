/** The arguments of one line, read as strictly as that release's sshd does: servconf.c process_server_config_line. */
import type { Keyword, ValueForm } from "./keywords.ts";
import type { ValueProblem } from "./problem.ts";
import type { Release } from "./release.ts";
import { ownText, remember } from "./remember.ts";
import type { DirectiveLine } from "./tree.ts";
import { readAlgorithms, readGssKex } from "./values/algorithm-lists.ts";
import {
  type Arguments,
  counted,
  fatal,
  isRefusal,
  makeArguments,
  type ReadForm,
} from "./values/arguments.ts";
import * as choices from "./values/choices.ts";
import * as endpoints from "./values/endpoints.ts";
import * as lists from "./values/lists.ts";
import * as names from "./values/names.ts";
import * as numbers from "./values/numbers.ts";
import { readIpQos, readPenalties } from "./values/penalties.ts";

/**
 * `values` as `sshd -T` prints them (but see Keyword.noneClears); null where sshd refuses the line, empty where it accepts the
 * line and sets nothing. Problems are in the order of sshd's messages.
 */
export interface ValueReading {
  readonly values: readonly string[] | null;
  readonly problems: readonly ValueProblem[];
}

const FORMS: Readonly<Record<Exclude<ValueForm, "match" | "include">, ReadForm>> = {
  flag: choices.readChoice,
  "keep-alive": choices.readChoice,
  "weak-crypto": choices.readChoice,
  "tcp-forwarding": choices.readChoice,
  "gateway-ports": choices.readChoice,
  "root-login": choices.readChoice,
  "address-family": choices.readChoice,
  compression: choices.readChoice,
  "ignore-rhosts": choices.readChoice,
  "privilege-separation": choices.readChoice,
  tunnel: choices.readTunnel,
  "log-level": choices.readLogLevel,
  "log-facility": choices.readLogFacility,
  digest: choices.readDigest,
  "pubkey-auth-options": choices.readPubkeyAuthOptions,
  "user-environment": choices.readUserEnvironment,
  integer: numbers.readIntegerForm,
  "integer-or-none": numbers.readIntegerOrNone,
  time: numbers.readTimeForm,
  "time-or-none": numbers.readTimeOrNone,
  "octal-mode": numbers.readOctalMode,
  "rekey-limit": numbers.readRekeyLimit,
  "max-startups": numbers.readMaxStartups,
  "net-block-size": numbers.readNetBlockSize,
  penalties: readPenalties,
  "ip-qos": readIpQos,
  port: endpoints.readPortForm,
  "listen-address": endpoints.readListenAddress,
  "permit-open": endpoints.readPermitList,
  "permit-listen": endpoints.readPermitList,
  file: names.readFile,
  "host-file": names.readFile,
  "user-file": names.readUserFile,
  "user-files": names.readUserFiles,
  "agent-path": names.readAgentPath,
  "agent-socket": names.readAgentSocket,
  "security-key-provider": names.readSecurityKeyProvider,
  string: names.readString,
  "local-user": names.readLocalUser,
  raw: names.readRaw,
  command: names.readCommand,
  "version-addendum": names.readVersionAddendum,
  "routing-domain": names.readRoutingDomain,
  subsystem: names.readSubsystem,
  users: lists.readUsers,
  groups: lists.readGroups,
  "env-names": lists.readEnvNames,
  "env-values": lists.readEnvValues,
  "auth-methods": lists.readAuthMethods,
  "log-verbose": lists.readLogVerbose,
  "channel-timeouts": lists.readChannelTimeouts,
  "address-list": lists.readAddressListForm,
  ciphers: readAlgorithms,
  macs: readAlgorithms,
  kex: readAlgorithms,
  "key-types": readAlgorithms,
  "ca-key-types": readAlgorithms,
  "gss-kex": readGssKex,
};

/**
 * Reads the arguments of a known keyword, Match (see match.ts) and Include apart. What only the machine knows is left
 * out: whether files, users and host names exist, and the working directory before relative paths. So is what depends
 * on other lines: too many ports (256), a Subsystem defined twice (fatal up to 9.4, ignored from 9.5).
 */
export function readValue(keyword: Keyword, line: DirectiveLine, release: Release): ValueReading {
  const known = accepted(`${keyword.key} ${line.rest.text}`, release);
  if (known.reading !== null) return known.reading;
  const { values, problems } = readAnew(keyword, line, release);
  // a problem has its place in the file, and the words of an empty rest depend on what stands before it
  if (problems.length > 0 || line.rest.text === "") return { values, problems };
  known.reading = { values: values?.map(ownText) ?? null, problems };
  return known.reading;
}

/** What a line sets by keyword and rest of the line, where sshd has nothing to say about it. */
const accepted = remember((): { reading: ValueReading | null } => ({ reading: null }));

function readAnew(keyword: Keyword, line: DirectiveLine, release: Release): ValueReading {
  if (keyword.form === "match" || keyword.form === "include") return { values: null, problems: [] };
  const notes: ValueProblem[] = [];
  const args = makeArguments(keyword, line, release, notes);
  const reading = FORMS[keyword.form](args);
  if (isRefusal(reading)) return { values: null, problems: reading.refused };
  const leftover = readLeftover(args);
  // a list that grew has room for sixteen more, and a long file keeps many of them: its copy has none
  return leftover === null
    ? { values: reading.slice(), problems: notes }
    : { values: null, problems: [leftover] };
}

/** From 8.7 any word that is left; before, the next word unless it is empty. */
function readLeftover(args: Arguments): ValueProblem | null {
  const word = args.next();
  if (word === null) return null;
  if (!args.newer && word.value === "") return null;
  const refusal = args.newer
    ? counted(args, "extra-arguments", `keyword ${args.spelled} extra arguments at end of line`, { word })
    : fatal(args, "garbage", `garbage at end of line; "${word.value.slice(0, 200)}".`, { word });
  return refusal.refused[0] ?? null;
}
