/** What the directives mean for one host: ssh_config(5), with the defaults of ssh(1) where they make sense without a shell. */
import { join } from "node:path";
import { lowerAscii } from "../../grammar/ascii.ts";
import type { Asked, Caller, Directive } from "./client-config.ts";
import { forwardsOf } from "./configured-forwards.ts";
import { type Reader, readDirectives, wrong } from "./directives.ts";
import { SshFailure } from "./failure.ts";
import type { Forward } from "./specification.ts";

export type LoginMethod = "publickey" | "keyboard-interactive" | "password";

export interface HostSettings {
  /** as the user names it */
  readonly alias: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** HostKeyAlias: the name to look keys up by */
  readonly keyAlias: string | null;
  readonly family: 4 | 6 | null;
  readonly bindAddress: string | null;
  readonly proxyJump: string | null;
  readonly identityFiles: readonly { readonly path: string; readonly chosen: "by the user" | "by default" }[];
  readonly identitiesOnly: boolean;
  /** a socket, or null */
  readonly agent: string | null;
  readonly userKnownHosts: readonly string[];
  readonly globalKnownHosts: readonly string[];
  readonly strict: "yes" | "ask" | "accept-new" | "no";
  /** in the order in which they are tried */
  readonly methods: readonly LoginMethod[];
  /** no questions */
  readonly batch: boolean;
  readonly passwordPrompts: number;
  readonly timeoutMs: number;
  readonly keepAlive: { readonly intervalMs: number; readonly count: number } | null;
  readonly forwards: readonly Forward[];
  readonly gatewayPorts: "yes" | "no";
  readonly exitOnForwardFailure: boolean;
  readonly unlink: "yes" | "no";
  readonly mask: number;
}

/** What would have to be run or checked by other means than ours; anything but "none" is refused. */
const CANNOT: Readonly<Record<string, string>> = {
  proxycommand: "this forwarder runs no commands; use ProxyJump (-J)",
  knownhostscommand: "this forwarder runs no commands; put the keys into a file",
  revokedhostkeys: "this forwarder cannot check it; put @revoked lines into known_hosts",
};

const DEFAULT_KEYS = ["id_rsa", "id_ecdsa", "id_ed25519"] as const;
/** ssh(1) waits for ever by default; a tunnel that hangs unseen is worth less than one that ends. */
const DEFAULT_TIMEOUT_S = 30;
const DEFAULT_ALIVE_S = 15;
const DEFAULT_ALIVE_COUNT = 3;

/** Throws an SshFailure ("configuration") for a value that cannot be. */
export function settingsFor(
  { host: alias }: Asked,
  directives: readonly Directive[],
  { caller, variable }: { caller: Caller; variable: (name: string) => string | null },
): HostSettings {
  const read = readDirectives(withOneProxy(directives));
  for (const [keyword, because] of Object.entries(CANNOT)) {
    const found = read.first(keyword);
    if (found !== null && lowerAscii(found) !== "none") throw wrong(read.place(keyword), keyword, because);
  }
  const host = (read.first("hostname") ?? alias).replace(/%([h%])/g, (_, letter) =>
    letter === "h" ? alias : "%",
  );
  const port = read.port("port") ?? 22;
  const login = read.first("user") ?? caller.name;
  const expand = (text: string): string => expandPath(text, { caller, variable, host, alias, port, login });
  const identity = read
    .all("identityfile")
    .filter(([path]) => path !== undefined && lowerAscii(path) !== "none");
  const keyAlias = read.first("hostkeyalias");
  const alive = read.seconds("serveraliveinterval") ?? DEFAULT_ALIVE_S;
  return {
    alias,
    host,
    port,
    user: login,
    keyAlias,
    family: read.one("addressfamily", { any: null, inet: 4, inet6: 6 } as const) ?? null,
    bindAddress: read.first("bindaddress"),
    proxyJump: noneIsNull(read.first("proxyjump")),
    identityFiles:
      identity.length > 0 || read.has("identityfile")
        ? [...new Set(identity.map(([path = ""]) => expand(path)))].map((path) => ({
            path,
            chosen: "by the user" as const,
          }))
        : DEFAULT_KEYS.map((name) => ({
            path: join(caller.home, ".ssh", name),
            chosen: "by default" as const,
          })),
    identitiesOnly: read.yes("identitiesonly") ?? false,
    agent: agentOf(read.first("identityagent"), variable, expand),
    userKnownHosts: (read.list("userknownhostsfile") ?? ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"])
      .filter((path) => lowerAscii(path) !== "none")
      .map(expand),
    globalKnownHosts: (
      read.list("globalknownhostsfile") ?? ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
    ).filter((path) => lowerAscii(path) !== "none"),
    strict: read.one("stricthostkeychecking", STRICT) ?? "ask",
    methods: methodsOf(read),
    batch: read.yes("batchmode") ?? false,
    passwordPrompts: read.number("numberofpasswordprompts") ?? 3,
    // 0 is as none (misc.c timeout_connect)
    timeoutMs: 1000 * (read.seconds("connecttimeout") || DEFAULT_TIMEOUT_S),
    keepAlive:
      alive === 0
        ? null
        : { intervalMs: 1000 * alive, count: read.number("serveralivecountmax") ?? DEFAULT_ALIVE_COUNT },
    forwards: read.yes("clearallforwardings") === true ? [] : forwardsOf(directives),
    gatewayPorts: read.yes("gatewayports") === true ? "yes" : "no",
    exitOnForwardFailure: read.yes("exitonforwardfailure") ?? false,
    unlink: read.yes("streamlocalbindunlink") === true ? "yes" : "no",
    mask: maskOf(read),
  };
}

/** Of ProxyJump and ProxyCommand the first counts, whatever it says (readconf.c parse_jump). */
function withOneProxy(directives: readonly Directive[]): readonly Directive[] {
  const isProxy = ({ keyword }: Directive): boolean => keyword === "proxyjump" || keyword === "proxycommand";
  const first = directives.find(isProxy);
  return directives.filter((directive) => !isProxy(directive) || directive === first);
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
function noneIsNull(text: string | null): string | null {
  return text === null || lowerAscii(text) === "none" ? null : text;
}

const METHODS = {
  publickey: "pubkeyauthentication",
  "keyboard-interactive": "kbdinteractiveauthentication",
  password: "passwordauthentication",
} as const satisfies Record<LoginMethod, string>;

/** Those of PreferredAuthentications in its order, or all, without those that are off. */
function methodsOf(read: Reader): readonly LoginMethod[] {
  const known = Object.keys(METHODS) as LoginMethod[];
  const preferred = read.first("preferredauthentications")?.split(",") ?? known;
  return preferred
    .flatMap((name) => known.find((method) => method === name) ?? [])
    .filter((method) => lowerAscii(read.first(METHODS[method]) ?? "") !== "no");
}

/** `$NAME` alone is a variable, which may be unset (ssh.c main). */
function agentOf(
  text: string | null,
  variable: (name: string) => string | null,
  expand: (text: string) => string,
): string | null {
  if (text === null || text === "SSH_AUTH_SOCK") return variable("SSH_AUTH_SOCK");
  const name = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(text)?.[1];
  if (name !== undefined) return variable(name);
  return lowerAscii(text) === "none" ? null : expand(text);
}

function maskOf(read: Reader): number {
  const text = read.first("streamlocalbindmask") ?? "0177";
  if (!/^[0-7]{1,4}$/.test(text))
    throw wrong(read.place("streamlocalbindmask"), "streamlocalbindmask", "no octal mask");
  return Number.parseInt(text, 8);
}

/** Tokens of ssh_config(5) that a path may hold, variables of the environment, and ~ for the home directory. */
function expandPath(
  path: string,
  of: {
    caller: Caller;
    variable: (name: string) => string | null;
    host: string;
    alias: string;
    port: number;
    login: string;
  },
): string {
  const tokens: Readonly<Record<string, string>> = {
    "%": "%",
    d: of.caller.home,
    h: of.host,
    i: String(of.caller.uid),
    n: of.alias,
    p: String(of.port),
    r: of.login,
    u: of.caller.name,
  };
  // at once, so that what a variable holds is no token (misc.c vdollar_percent_expand)
  return path
    .replace(/^~(?=\/|$)/, of.caller.home)
    .replace(/%(.)|\$\{([^}]*)\}/g, (whole, letter: string | undefined, name: string) => {
      const value = letter === undefined ? of.variable(name) : tokens[letter];
      if (value === undefined || value === null)
        throw new SshFailure("configuration", `${path}: ${whole} is not known here`);
      return value;
    });
}
