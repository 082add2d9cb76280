/** What the directives mean for one host: ssh_config(5), with the defaults of ssh(1) where they make sense without a shell. */
import { lowerAscii } from "../../grammar/ascii.ts";
import type { Asked, Caller, Directive } from "./client-config.ts";
import { withoutComment } from "./client-keywords.ts";
import type { KnownKeyword } from "./client-values.ts";
import { forwardsOf } from "./configured-forwards.ts";
import { type Reader, readDirectives, wrong } from "./directives.ts";
import { type Expansion, expandHost, makeExpansion } from "./expansion.ts";
import { type LoginSettings, loginSettings } from "./login-settings.ts";
import { type Forward, isUser } from "./specification.ts";

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
  { host: alias, given }: Asked,
  directives: readonly Directive[],
  { caller, variable }: { caller: Caller; variable: (name: string) => string | null },
): HostSettings {
  const read = readDirectives(withOneProxy(directives));
  refuseWhatWeCannot(read);
  const host = expandHost(read.first("HostName") ?? "%h", alias);
  const port = read.value("Port") ?? 22;
  const user = read.first("User") ?? caller.name;
  // what a file says is as its author wants it (ssh.c main)
  if (given.some(({ keyword }) => keyword === "user") && !isUser(user))
    throw wrong(read.place("User"), "User", `"${user}" is none that ssh would take`);
  const keyAlias = read.first("HostKeyAlias");
  const expand = makeExpansion({ caller, variable, host, alias, port, login: user, keyAlias });
  const jump = noneIsNull(read.first("ProxyJump"));
  return {
    ...loginSettings(read, { caller, variable, expand }),
    ...trustSettings(read, expand),
    ...forwardSettings(read, directives, expand),
    alias,
    host,
    port,
    user,
    family: read.value("AddressFamily"),
    bindAddress: read.first("BindAddress"),
    proxyJump: jump === null ? null : expand.tokens(withoutComment(jump)),
    // 0 is as none (misc.c timeout_connect)
    timeoutMs: 1000 * (read.value("ConnectTimeout") || DEFAULT_TIMEOUT_S),
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
const CANNOT = {
  ProxyCommand: "this forwarder runs no commands; use ProxyJump (-J)",
  KnownHostsCommand: "this forwarder runs no commands; put the keys into a file",
  RevokedHostKeys: "this forwarder cannot check it; put @revoked lines into known_hosts",
} as const satisfies Partial<Record<KnownKeyword, string>>;

function refuseWhatWeCannot(read: Reader): void {
  for (const keyword of Object.keys(CANNOT) as (keyof typeof CANNOT)[]) {
    const found = read.first(keyword);
    if (found !== null && lowerAscii(found) !== "none")
      throw wrong(read.place(keyword), keyword, CANNOT[keyword]);
  }
}

function noneIsNull(text: string | null): string | null {
  return text === null || lowerAscii(text) === "none" ? null : text;
}

const USER_KNOWN_HOSTS = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
const GLOBAL_KNOWN_HOSTS = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

function trustSettings(read: Reader, expand: Expansion): TrustSettings {
  const files = (
    keyword: "UserKnownHostsFile" | "GlobalKnownHostsFile",
    usual: readonly string[],
  ): readonly string[] => (read.list(keyword) ?? usual).filter((path) => lowerAscii(path) !== "none");
  return {
    keyAlias: read.first("HostKeyAlias"),
    userKnownHosts: files("UserKnownHostsFile", USER_KNOWN_HOSTS).map(expand.path),
    globalKnownHosts: files("GlobalKnownHostsFile", GLOBAL_KNOWN_HOSTS),
    strict: read.value("StrictHostKeyChecking") ?? "ask",
  };
}

const NO_GROUP_NOR_OTHERS = 0o177;

function forwardSettings(read: Reader, directives: readonly Directive[], expand: Expansion): ForwardSettings {
  return {
    // of the command line, too (readconf.c clear_forwardings)
    forwards: read.value("ClearAllForwardings") === true ? [] : forwardsOf(directives, expand),
    gatewayPorts: read.value("GatewayPorts") === true ? "yes" : "no",
    exitOnForwardFailure: read.value("ExitOnForwardFailure") ?? false,
    unlink: read.value("StreamLocalBindUnlink") === true ? "yes" : "no",
    mask: read.value("StreamLocalBindMask") ?? NO_GROUP_NOR_OTHERS,
  };
}

const DEFAULT_ALIVE_S = 15;
const DEFAULT_ALIVE_COUNT = 3;

function keepAliveOf(read: Reader): HostSettings["keepAlive"] {
  const seconds = read.value("ServerAliveInterval") ?? DEFAULT_ALIVE_S;
  if (seconds === 0) return null;
  return { intervalMs: 1000 * seconds, count: read.value("ServerAliveCountMax") ?? DEFAULT_ALIVE_COUNT };
}
