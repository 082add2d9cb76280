/**
 * The seven capabilities as conjunctions of keywords (design.md "Combined forwarding", measured live; OpenSSH serverloop.c
 * server_request_direct_tcpip, server_input_global_request; session.c session_setup_x11fwd, session_auth_agent_req).
 */
import { readPort } from "../../grammar/ports.ts";
import { atLeast, NEWEST, type Release } from "../../grammar/release.ts";
import {
  DISABLED_AGENT,
  DISABLED_TUN,
  DISABLED_X11,
  FEW_DISPLAYS,
  isReadWith,
  type ReleaseBug,
  repairDoubt,
} from "../../grammar/release-bugs.ts";
import { onceFor, remember } from "../../grammar/remember.ts";
import type { Config } from "../config/config.ts";
import { effectiveLines } from "../config/keyword-lines.ts";
import type { ListenGrant } from "./answer.ts";
import type { Capability } from "./connection.ts";

/** One keyword that a capability depends on. */
export interface Requirement {
  readonly keyword: string;
  /** true: with these values the capability is closed, whatever the other keywords say */
  readonly closes: (values: readonly string[]) => boolean;
}

const oneOf =
  (...closing: readonly string[]) =>
  (values: readonly string[]): boolean =>
    closing.includes(values[0] ?? "");

const never = (): boolean => false;

const TCP_OUT: Requirement = { keyword: "allowtcpforwarding", closes: oneOf("no", "remote") };
const TCP_IN: Requirement = { keyword: "allowtcpforwarding", closes: oneOf("no", "local") };
const SOCKET_OUT: Requirement = { keyword: "allowstreamlocalforwarding", closes: oneOf("no", "remote") };
const SOCKET_IN: Requirement = { keyword: "allowstreamlocalforwarding", closes: oneOf("no", "local") };
const NOT_DISABLED: Requirement = { keyword: "disableforwarding", closes: oneOf("yes") };
/** `none` with more behind it is accepted from 9.7 on and ends every connection (semantics 3.6) */
const OPEN_LIST: Requirement = { keyword: "permitopen", closes: oneOf("none") };
const LISTEN_LIST: Requirement = {
  keyword: "permitlisten",
  closes: (values) => values[0] === "none" || listenPlaces(values).length === 0,
};
const SOCKET_LIST: Requirement = {
  keyword: "permitopen",
  closes: (values) => socketPaths(values).length === 0,
};
/** both are requests inside a session channel, and there is none (session.c session_new) */
const SESSIONS: Requirement = {
  keyword: "maxsessions",
  // -1 is how sshd notes that nothing is set
  closes: ([first]) => Number(first) < 1 && first !== "-1",
};
/** with the bug of few displays */
const DISPLAYS_BELOW_1000: Requirement = {
  keyword: "x11displayoffset",
  closes: ([first]) => Number(first) > 999,
};
const DISPLAYS: Requirement = {
  keyword: "x11displayoffset",
  closes: ([first]) => Number(first) > 65_535 - 6000 - 1000,
};
const GATEWAY: Requirement = { keyword: "gatewayports", closes: never };

/** In the order in which they are asked: the first is the keyword that people look at. */
export const requirements: (capability: Capability, release: Release) => readonly Requirement[] = remember(
  (capability, release) => requirementsOf(capability as Capability, release),
);

function requirementsOf(capability: Capability, release: Release): readonly Requirement[] {
  switch (capability) {
    case "tcp-local":
      return [TCP_OUT, NOT_DISABLED, OPEN_LIST];
    case "tcp-remote":
      return [TCP_IN, NOT_DISABLED, ...(atLeast(release, "7.8") ? [LISTEN_LIST] : []), GATEWAY];
    case "unix-local":
      return [TCP_OUT, SOCKET_OUT, NOT_DISABLED, SOCKET_LIST];
    case "unix-remote":
      // up to 7.7 a remote socket forward never asks AllowTcpForwarding (semantics 7.2)
      return [...(atLeast(release, "7.8") ? [TCP_IN] : []), SOCKET_IN, NOT_DISABLED];
    case "tun":
      return [{ keyword: "permittunnel", closes: oneOf("no") }, ...disabledSince(DISABLED_TUN, release)];
    case "x11":
      return [
        { keyword: "x11forwarding", closes: oneOf("no") },
        ...disabledSince(DISABLED_X11, release),
        SESSIONS,
        isReadWith(FEW_DISPLAYS, release) ? DISPLAYS_BELOW_1000 : DISPLAYS,
      ];
    case "agent":
      return [
        { keyword: "allowagentforwarding", closes: oneOf("no") },
        ...disabledSince(DISABLED_AGENT, release),
        SESSIONS,
      ];
  }
}

function disabledSince(bug: ReleaseBug, release: Release): readonly Requirement[] {
  return isReadWith(bug, release) ? [] : [NOT_DISABLED];
}

/** Bounds that real files set high enough: where no line sets one so low that it closes, no answer names it. */
const BOUNDS: readonly Requirement[] = [SESSIONS, DISPLAYS_BELOW_1000, DISPLAYS];
/** Who gets sessions or displays is not given forwarding by that. */
export const BOUND_KEYWORDS: ReadonlySet<string> = new Set(BOUNDS.map(({ keyword }) => keyword));

const closingBounds = onceFor((config: Config): readonly Requirement[] =>
  BOUNDS.filter(({ keyword, closes }) =>
    effectiveLines(config, keyword).some(({ values }) => closes(values ?? [])),
  ),
);

/** Those of most configurations, which set no bound that closes. */
const unbounded: typeof requirements = remember((capability, release) =>
  requirements(capability as Capability, release).filter((requirement) => !BOUNDS.includes(requirement)),
);

/** The requirements of a capability that can make a difference under this configuration. */
export function requirementsUnder(config: Config, capability: Capability): readonly Requirement[] {
  const closing = closingBounds(config);
  if (closing.length === 0) return unbounded(capability, config.release);
  return requirements(capability, config.release).filter(
    (requirement) => !BOUNDS.includes(requirement) || closing.includes(requirement),
  );
}

/** A bug that counts for a capability where a line of the keyword has such values. */
interface Stake {
  readonly bug: ReleaseBug;
  readonly keyword: string;
  readonly isTouched: (values: readonly string[]) => boolean;
}

const disabled = (bug: ReleaseBug): Stake => ({
  ...{ bug, keyword: NOT_DISABLED.keyword, isTouched: NOT_DISABLED.closes },
});

const STAKES: Readonly<Partial<Record<Capability, readonly Stake[]>>> = {
  x11: [
    disabled(DISABLED_X11),
    {
      ...{ bug: FEW_DISPLAYS, keyword: DISPLAYS.keyword },
      isTouched: (values) => DISPLAYS_BELOW_1000.closes(values) && !DISPLAYS.closes(values),
    },
  ],
  agent: [disabled(DISABLED_AGENT)],
  tun: [disabled(DISABLED_TUN)],
};

export interface RepairDoubt {
  /** what is not known, for people */
  readonly text: string;
  /** the keyword that it is about */
  readonly keyword: string;
}

/** What is not known of the package's repairs and counts under this configuration. */
export function repairDoubts(config: Config, capability: Capability): readonly RepairDoubt[] {
  return (STAKES[capability] ?? []).flatMap(({ bug, keyword, isTouched }) => {
    const lines = effectiveLines(config, keyword);
    const text = lines.length === 0 ? null : repairDoubt(bug, config.release);
    if (text === null) return [];
    const counts = lines.some(({ values }) => isTouched(values ?? []));
    return counts ? [{ text, keyword }] : [];
  });
}

/** `host:port` items of PermitOpen or PermitListen as sshd compares them; `*:*` for no limit. */
export function openDestinations(values: readonly string[]): readonly string[] {
  if (values[0] === undefined || values[0] === "any") return ANYWHERE;
  return values.every((item) => PLAIN_ITEM.test(item)) ? values : values.map(comparedItem);
}

/**
 * The same for PermitListen. sshd puts the host that a client asks for in lower case and leaves the item as written: one
 * with a capital letter fits nobody (channels.c remote_open_match).
 */
export function listenPlaces(values: readonly string[]): readonly string[] {
  const items = openDestinations(values);
  return items.some(isOutOfReach) ? items.filter((item) => !isOutOfReach(item)) : items;
}

/** Of an item as `comparedItem` gives it. */
export function isOutOfReach(item: string): boolean {
  return /[A-Z].*:/.test(item);
}

/** With GatewayPorts clientspecified it is the item that says where a port listens (channels.c channel_fwd_bind_addr). */
function isOnLoopback(item: string): boolean {
  return /^\[?(?:localhost|127(?:\.\d{1,3}){3}|::1)\]?:[^:]*$/.test(item);
}

/** As comparedItem gives it. */
const PLAIN_ITEM = /^(?:[^[\]:/]*|\[[^\]]*[:/][^\]]*\]):(?:\*|[1-9][0-9]{0,4})$/;
/** misc.c hpdelim: a host ends at its bracket, `:` or, up to 7.9, `/`. */
const WRITTEN_ITEM = /^(?:\[([^\]]*)\]|([^:/]*))[:/](.*)$/;

/**
 * One spelling of what sshd takes for the same: `[db]:22` and `db/22` (up to 7.9) are `db:22`, for it takes the brackets
 * off before it compares (canohost.c cleanhostname; channels.c open_match); `db:ssh` and `db:022` are, too (misc.c a2port). A port 0 is any port:
 * no line can say it, but up to 7.6 `sshd -T` prints `*` so (channels.c FWD_PERMIT_ANY_PORT).
 */
export function comparedItem(item: string): string {
  const [, bracketed, bare = "", written = ""] = WRITTEN_ITEM.exec(item) ?? [];
  if (written === "" || PLAIN_ITEM.test(item)) return item;
  const host = bracketed ?? bare;
  const port = readPort(written, NEWEST) ?? written;
  return `${/[:/]/.test(host) ? `[${host}]` : host}:${port === 0 ? "*" : port}`;
}

/** Of an item of PermitOpen or PermitListen, as written; null: none. */
export function writtenPort(item: string): string | null {
  return WRITTEN_ITEM.exec(item)?.[3] ?? null;
}

/** Thousands of answers share it. */
const ANYWHERE: readonly string[] = ["*:*"];
const ANY_PATH: readonly string[] = ["*"];

/**
 * Paths that a PermitOpen list lets a socket forward reach. sshd compares the path with the host of each item whose port
 * is `*` (channels.c connect_to_path_helper, open_match): `*:*` fits every path, `[/the/path]:*` that one, and `db:*` the
 * relative path `db`, which sshd looks for in its working directory, `/`.
 */
export function socketPaths(values: readonly string[]): readonly string[] {
  const items = openDestinations(values);
  if (items.includes("*:*")) return ANY_PATH;
  return items.flatMap((item) => {
    const path = /^\[?(.*?)\]?:\*$/.exec(item)?.[1] ?? "";
    return path === "" ? [] : [path];
  });
}

/** Kinds of tunnel that PermitTunnel lets a client ask for; `yes` is both (servconf.c, SSH_TUNMODE_YES). */
export function tunnelModes(values: readonly string[]): readonly string[] {
  return values[0] === "yes" ? BOTH_MODES : values;
}

const BOTH_MODES: readonly string[] = ["point-to-point", "ethernet"];

/** What decides who may bind a low port. */
export interface PortLimits {
  /** net.ipv4.ip_unprivileged_port_start; null: the kernel's 1024 */
  readonly unprivilegedPortStart: number | null;
  /** a login as root may be possible */
  readonly root: boolean;
}

/** The kernel's own net.ipv4.ip_unprivileged_port_start. */
export const FIRST_UNPRIVILEGED = 1024;

export function listenGrant(
  listen: readonly string[],
  gateway: readonly string[],
  { unprivilegedPortStart, root }: PortLimits,
): ListenGrant {
  const addresses = listenPlaces(listen);
  return {
    addresses,
    bind: bindOf(gateway[0], addresses),
    privilegedPorts:
      unprivilegedPortStart !== null && unprivilegedPortStart <= 1 ? "all" : root ? "root" : "none",
  };
}

function bindOf(gateway: string | undefined, addresses: readonly string[]): ListenGrant["bind"] {
  if (gateway === "yes") return "wildcard";
  return gateway === "clientspecified" && !addresses.every(isOnLoopback) ? "client" : "loopback";
}

/** What else must be there for the grant to be of use. */
export function needsOf(
  capability: Capability,
  listen: ListenGrant | null,
  limits: PortLimits,
): readonly string[] {
  switch (capability) {
    case "x11":
      return XAUTH;
    case "tun":
      return DEVICE;
    case "tcp-remote":
      return lowPortNeeds(
        listen?.privilegedPorts ?? "root",
        limits.unprivilegedPortStart ?? FIRST_UNPRIVILEGED,
      );
    default:
      return NOTHING;
  }
}

// one list for all answers: there may be a hundred thousand
const NOTHING: readonly string[] = [];
const XAUTH: readonly string[] = ["xauth on the server"];
const DEVICE: readonly string[] = ["/dev/net/tun, and a root login or a tun device that belongs to the user"];

function lowPortNeeds(ports: ListenGrant["privilegedPorts"], first: number): readonly string[] {
  if (ports === "all") return NOTHING;
  return ports === "root"
    ? [`a root login for a port below ${first}`]
    : [`a port of ${first} or above: PermitRootLogin is no, so nobody binds a lower one`];
}
