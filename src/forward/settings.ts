/** What the directives mean for one host: ssh_config(5), with the defaults of ssh(1) where they make sense without a shell. */
import { lowerAscii } from "../../grammar/ascii.ts";
import { parseOctalMode } from "../../grammar/values/numbers.ts";
import type { Asked, Caller, Directive } from "./client-config.ts";
import { forwardsOf } from "./configured-forwards.ts";
import { type Reader, readDirectives, wrong } from "./directives.ts";
import { type Expansion, makeExpansion } from "./expansion.ts";
import { type LoginSettings, loginSettings } from "./login-settings.ts";
import type { Forward } from "./specification.ts";

export interface HostSettings extends LoginSettings, TrustSettings, ForwardSettings {
  /** as the user names it */
  readonly alias: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly family: 4 | 6 | null;
  readonly bindAddress: string | null;
  readonly proxyJump: string | null;
  readonly timeoutMs: number;
  readonly keepAlive: { readonly intervalMs: number; readonly count: number } | null;
}

interface TrustSettings {
  /** HostKeyAlias: the name to look keys up by */
  readonly keyAlias: string | null;
  readonly userKnownHosts: readonly string[];
  readonly globalKnownHosts: readonly string[];
  readonly strict: "yes" | "ask" | "accept-new" | "no";
}

interface ForwardSettings {
  readonly forwards: readonly Forward[];
  readonly gatewayPorts: "yes" | "no";
  readonly exitOnForwardFailure: boolean;
  readonly unlink: "yes" | "no";
  readonly mask: number;
}

/** ssh(1) waits for ever by default; a tunnel that hangs unseen is worth less than one that ends. */
const DEFAULT_TIMEOUT_S = 30;

/** Throws an SshFailure ("configuration") for a value that cannot be. */
export function settingsFor(
  { host: alias }: Asked,
  directives: readonly Directive[],
  { caller, variable }: { caller: Caller; variable: (name: string) => string | null },
): HostSettings {
  const read = readDirectives(withOneProxy(directives));
  refuseWhatWeCannot(read);
  const host = (read.first("hostname") ?? alias).replace(/%([h%])/g, (_, letter) =>
    letter === "h" ? alias : "%",
  );
  const port = read.port("port") ?? 22;
  const user = read.first("user") ?? caller.name;
  const keyAlias = read.first("hostkeyalias");
  const expand = makeExpansion({ caller, variable, host, alias, port, login: user, keyAlias });
  const jump = noneIsNull(read.first("proxyjump"));
  return {
    ...loginSettings(read, { caller, variable, expand }),
    ...trustSettings(read, expand),
    ...forwardSettings(read, directives, expand),
    alias,
    host,
    port,
    user,
    family: read.one("addressfamily", { any: null, inet: 4, inet6: 6 } as const) ?? null,
    bindAddress: read.first("bindaddress"),
    proxyJump: jump === null ? null : expand.tokens(jump),
    // 0 is as none (misc.c timeout_connect)
    timeoutMs: 1000 * (read.seconds("connecttimeout") || DEFAULT_TIMEOUT_S),
    keepAlive: keepAliveOf(read),
  };
}

/** Of ProxyJump and ProxyCommand the first counts, whatever it says (readconf.c parse_jump). */
function withOneProxy(directives: readonly Directive[]): readonly Directive[] {
  const isProxy = ({ keyword }: Directive): boolean => keyword === "proxyjump" || keyword === "proxycommand";
  const first = directives.find(isProxy);
  return directives.filter((directive) => !isProxy(directive) || directive === first);
}

/** What would have to be run or checked by other means than ours; anything but "none" is refused. */
const CANNOT: Readonly<Record<string, string>> = {
  proxycommand: "this forwarder runs no commands; use ProxyJump (-J)",
  knownhostscommand: "this forwarder runs no commands; put the keys into a file",
  revokedhostkeys: "this forwarder cannot check it; put @revoked lines into known_hosts",
};

function refuseWhatWeCannot(read: Reader): void {
  for (const [keyword, because] of Object.entries(CANNOT)) {
    const found = read.first(keyword);
    if (found !== null && lowerAscii(found) !== "none") throw wrong(read.place(keyword), keyword, because);
  }
}

function noneIsNull(text: string | null): string | null {
  return text === null || lowerAscii(text) === "none" ? null : text;
}

const STRICT = {
  yes: "yes",
  true: "yes",
  ask: "ask",
  "accept-new": "accept-new",
  no: "no",
  off: "no",
  false: "no",
} as const;
const USER_KNOWN_HOSTS = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
const GLOBAL_KNOWN_HOSTS = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

function trustSettings(read: Reader, expand: Expansion): TrustSettings {
  const files = (keyword: string, usual: readonly string[]): readonly string[] =>
    (read.list(keyword) ?? usual).filter((path) => lowerAscii(path) !== "none");
  return {
    keyAlias: read.first("hostkeyalias"),
    userKnownHosts: files("userknownhostsfile", USER_KNOWN_HOSTS).map(expand.path),
    globalKnownHosts: files("globalknownhostsfile", GLOBAL_KNOWN_HOSTS),
    strict: read.one("stricthostkeychecking", STRICT) ?? "ask",
  };
}

const NO_GROUP_NOR_OTHERS = 0o177;

function forwardSettings(read: Reader, directives: readonly Directive[], expand: Expansion): ForwardSettings {
  const mask = read.first("streamlocalbindmask");
  const octal = mask === null ? NO_GROUP_NOR_OTHERS : parseOctalMode(mask);
  if (octal === null)
    throw wrong(read.place("streamlocalbindmask"), "streamlocalbindmask", `"${mask}" is no octal mask`);
  return {
    // of the command line, too (readconf.c clear_forwardings)
    forwards: read.yes("clearallforwardings") === true ? [] : forwardsOf(directives, expand),
    gatewayPorts: read.yes("gatewayports") === true ? "yes" : "no",
    exitOnForwardFailure: read.yes("exitonforwardfailure") ?? false,
    unlink: read.yes("streamlocalbindunlink") === true ? "yes" : "no",
    mask: octal,
  };
}

const DEFAULT_ALIVE_S = 15;
const DEFAULT_ALIVE_COUNT = 3;

function keepAliveOf(read: Reader): HostSettings["keepAlive"] {
  const seconds = read.seconds("serveraliveinterval") ?? DEFAULT_ALIVE_S;
  if (seconds === 0) return null;
  return { intervalMs: 1000 * seconds, count: read.number("serveralivecountmax") ?? DEFAULT_ALIVE_COUNT };
}
