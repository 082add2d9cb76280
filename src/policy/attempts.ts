/**
 * What a probe tries on one connection, and what the policy says will happen: every kind of forwarding, with
 * destinations and listen addresses that are allowed and that are not (semantics 7: measured on live sshds).
 */
import { lowerAscii } from "../../grammar/ascii.ts";
import { matchPattern } from "../../grammar/patterns.ts";
import type { Release } from "../../grammar/release.ts";
import type { Config } from "../config/config.ts";
import type { Answer } from "./answer.ts";
import { socketPaths } from "./capabilities.ts";
import { CAPABILITIES, type Capability, type Connection } from "./connection.ts";
import { evaluate, isAnswer } from "./evaluate.ts";
import { locate } from "./locate.ts";
import type { LoginKey } from "./login-key.ts";

/** What the client asks the server for. */
export type Request =
  | { readonly kind: "open-tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "open-socket"; readonly path: string }
  | { readonly kind: "listen-tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "listen-socket"; readonly path: string }
  | { readonly kind: "agent" }
  | { readonly kind: "x11" }
  | { readonly kind: "tun"; readonly mode: TunMode };

export type TunMode = "point-to-point" | "ethernet";

export interface Attempt {
  readonly capability: Capability;
  readonly request: Request;
  readonly predicted: "open" | "refused";
  /** listen-tcp: of the addresses that are dialled, those at which it must answer; null: any, or none of them */
  readonly listensAt: readonly string[] | null;
  /** what keeps the capability closed though the policy grants it; then a refusal is no difference */
  readonly needs: string | null;
  /** why this place must not try it; null: it is tried */
  readonly untried: string | null;
}

/** Where the server runs, and what may be touched there. */
export interface ProbePlace {
  /**
   * "sandbox": all addresses are the probe's own · "host": this machine's loopback, nothing else · "server": a live
   * server, on which nothing but a loopback listener of the probe's own may come to be
   */
  readonly kind: "sandbox" | "host" | "server";
  /** an address of the probe's own that the server can connect to */
  readonly own: string;
  /** addresses at which a remote forward is looked for, loopback first */
  readonly dialled: readonly string[];
  /** an address of the server beside loopback; null in a "host" */
  readonly outside: string | null;
  /** the user is root on the server */
  readonly asRoot: boolean;
  /** a port that nothing else uses, another one each time */
  readonly nextPort: () => number;
  /** a path for a socket that the user may make, another one each time */
  readonly nextPath: () => string;
  /** ports on which the server itself listens */
  readonly taken: ReadonlySet<number>;
  /** the key that logs in */
  readonly key: LoginKey;
}

interface Planning {
  readonly place: ProbePlace;
  readonly release: Release;
  readonly connection: Connection;
  /** effective values by keyword */
  readonly values: (keyword: string) => readonly string[];
}

/** Items of a list that are tried, one attempt each. */
const MOST_ITEMS = 4;
/** below it a listener needs root (Linux: net.ipv4.ip_unprivileged_port_start) */
const FIRST_ORDINARY_PORT = 1024;
const PRIVILEGED_PORT = 1017;

/** Null where sshd has no answer for the connection: it ends it. */
export function planAttempts(
  config: Config,
  answers: readonly Answer[],
  connection: Connection,
  place: ProbePlace,
): readonly Attempt[] | null {
  const effective = evaluate(config, connection);
  if (!isAnswer(effective)) return null;
  const values = (keyword: string): readonly string[] => effective.get(keyword)?.values ?? [];
  const planning: Planning = { place, release: config.release, connection, values };
  return CAPABILITIES.flatMap((capability) => {
    const answer = locate(config, answers, capability, connection);
    // what the search could not settle has no prediction; the exposure says that it is not complete
    return answer === null || answer.allowed === "unknown" ? [] : attemptsOf(planning, answer);
  });
}

function attemptsOf(planning: Planning, answer: Answer): readonly Attempt[] {
  switch (answer.capability) {
    case "tcp-local":
      return openTcp(planning, answer);
    case "tcp-remote":
      return listenTcp(planning, answer);
    case "unix-local":
      return openSocket(planning, answer);
    case "unix-remote":
      return [listenSocket(planning.place, answer)];
    case "tun":
      return tunnels(planning, answer);
    default:
      return [
        {
          ...attempt(
            answer,
            { kind: answer.capability },
            answer.allowed === true &&
              planning.place.key[answer.capability === "x11" ? "x11Forwarding" : "agentForwarding"],
          ),
          // both are requests inside a session channel (RFC 4254 6.3.1; OpenSSH session.c)
          needs: planning.values("maxsessions")[0] === "0" ? "a session: MaxSessions is 0" : null,
        },
      ];
  }
}

function attempt({ capability }: Answer, request: Request, open: boolean): Attempt {
  const predicted = open ? "open" : "refused";
  return { capability, request, predicted, listensAt: null, needs: null, untried: null };
}

interface Endpoint {
  readonly host: string;
  readonly port: string;
}

/** `host:port`, `[host]:port`; the port may be `*` */
function endpointOf(item: string): Endpoint {
  const colon = item.lastIndexOf(":");
  return { host: item.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: item.slice(colon + 1) };
}

/** servconf.c and channels.c open_match: byte for byte, `*` alone is a wildcard. */
export function fitsPermitOpen(items: readonly string[], host: string, port: number): boolean {
  return items.map(endpointOf).some((item) => {
    return (item.host === "*" || item.host === host) && (item.port === "*" || item.port === `${port}`);
  });
}

/** channels.c remote_open_match: the requested host in lower case against a pattern that is left as written. */
export function fitsPermitListen(
  items: readonly string[],
  host: string,
  port: number,
  release: Release,
): boolean {
  return items.map(endpointOf).some((item) => {
    return (
      (item.port === "*" || item.port === `${port}`) && matchPattern(lowerAscii(host), item.host, release)
    );
  });
}

const ANYWHERE = ["*:*"];

function openTcp(planning: Planning, answer: Answer): readonly Attempt[] {
  const { place } = planning;
  const own = { host: place.own, port: place.nextPort() };
  const isPath = (item: string): boolean => /^\[?\//.test(item);
  const items = [answer.destinations, place.key.permitOpen ?? []].flatMap((list) =>
    list.filter((item) => !isPath(item)).slice(0, MOST_ITEMS),
  );
  const wanted = answer.allowed === false ? [] : items.map((item) => destinationFor(item, place));
  const spelled = wanted
    .filter(({ host }) => /[a-z]/.test(host))
    .slice(0, 1)
    .map(({ host, port }) => ({ host: host.replace(/[a-z]/, (letter) => upperAscii(letter)), port }));
  return distinct([own, ...wanted, ...spelled]).map(({ host, port }) => {
    const { key } = place;
    const open =
      answer.allowed === true &&
      key.portForwarding &&
      fitsPermitOpen(answer.destinations, host, port) &&
      fitsPermitOpen(key.permitOpen ?? ANYWHERE, host, port);
    const tried = attempt(answer, { kind: "open-tcp", host, port }, open);
    return isOwn(place, host)
      ? tried
      : { ...tried, untried: `it would reach ${host}, which is not the probe's own` };
  });
}

function isOwn({ kind, own }: ProbePlace, host: string): boolean {
  return kind === "sandbox" || host === own || (kind === "host" && isLoopback(host));
}

function upperAscii(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) - 32);
}

function destinationFor(item: string, place: ProbePlace): { host: string; port: number } {
  const { host, port } = endpointOf(item);
  return {
    host: host === "*" ? place.own : host,
    port: port === "*" ? place.nextPort() : Number(port),
  };
}

function isLoopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(host) || host === "::1";
}

function distinct<T extends { readonly host: string; readonly port: number }>(
  endpoints: readonly T[],
): readonly T[] {
  const byText = new Map(endpoints.map((endpoint) => [`${endpoint.host} ${endpoint.port}`, endpoint]));
  return [...byText.values()];
}

function openSocket(planning: Planning, answer: Answer): readonly Attempt[] {
  const { place } = planning;
  const paths = answer.allowed === false || answer.destinations.includes("*") ? [] : answer.destinations;
  const listed = paths.slice(0, MOST_ITEMS).map((path): Attempt => {
    const tried = attempt(answer, { kind: "open-socket", path }, keyReaches(place.key, path));
    return place.kind === "sandbox" ? tried : { ...tried, untried: "this path is not the probe's own" };
  });
  const path = place.nextPath();
  const open = answer.allowed === true && answer.destinations.includes("*") && keyReaches(place.key, path);
  const own = attempt(answer, { kind: "open-socket", path }, open);
  return [onlyWhereHarmless(place, own, "no socket on the server is the probe's own"), ...listed];
}

function keyReaches({ portForwarding, permitOpen }: LoginKey, path: string): boolean {
  const paths = socketPaths(permitOpen ?? ANYWHERE);
  return portForwarding && (paths.includes("*") || paths.includes(path));
}

function listenSocket(place: ProbePlace, answer: Answer): Attempt {
  // permitlisten is not asked (semantics 7.2)
  const open = answer.allowed === true && place.key.portForwarding;
  const tried = attempt(answer, { kind: "listen-socket", path: place.nextPath() }, open);
  return onlyWhereHarmless(place, tried, "sshd would leave the socket's file behind");
}

function onlyWhereHarmless(place: ProbePlace, tried: Attempt, because: string): Attempt {
  return place.kind === "server" ? { ...tried, untried: because } : tried;
}

function listenTcp(planning: Planning, answer: Answer): readonly Attempt[] {
  const { place } = planning;
  const items = [answer.listen?.addresses ?? [], place.key.permitListen ?? []].flatMap((list) =>
    list.slice(0, MOST_ITEMS),
  );
  const hosts = place.kind === "server" ? ["localhost", "127.0.0.1"] : BIND_HOSTS;
  const wanted = [
    ...[...hosts, ...(place.outside === null ? [] : [place.outside])].map((host) => ({
      host,
      port: place.nextPort(),
    })),
    ...(place.kind === "server" ? [] : [{ host: "localhost", port: PRIVILEGED_PORT }]),
    ...(answer.allowed === true ? items.flatMap((item) => listensFor(item, place)) : []),
  ];
  return distinct(wanted)
    .filter(({ port }) => !place.taken.has(port))
    .map(({ host, port }) => listenAttempt(planning, answer, host, port));
}

/** What a client may ask for: sshd reads each in its own way (semantics 7.7). */
const BIND_HOSTS = ["localhost", "", "127.0.0.1", "::1", "0.0.0.0", "::"];

/** The item itself, and its port on the wildcard address. */
function listensFor(item: string, place: ProbePlace): readonly { host: string; port: number }[] {
  const { host, port } = endpointOf(item);
  const number = port === "*" ? place.nextPort() : Number(port);
  const named = host === "*" ? "localhost" : host.replaceAll("*", "").replaceAll("?", "x");
  return [
    { host: named, port: number },
    { host: "", port: port === "*" ? place.nextPort() : number },
  ];
}

function listenAttempt(planning: Planning, answer: Answer, host: string, port: number): Attempt {
  const { place, release } = planning;
  const request: Request = { kind: "listen-tcp", host, port };
  const items = answer.listen?.addresses ?? [];
  const granted =
    answer.allowed === true &&
    place.key.portForwarding &&
    fitsPermitListen(items, host, port, release) &&
    fitsPermitListen(place.key.permitListen ?? ANYWHERE, host, port, release);
  const mayBind = port >= FIRST_ORDINARY_PORT || place.asRoot;
  const listensAt = granted ? listensAtFor(planning, host, answer.listen?.bind ?? "loopback") : [];
  const open = granted && mayBind && listensAt?.length !== 0;
  const made = { ...attempt(answer, request, open), listensAt: open ? listensAt : null };
  const shared = open && place.kind !== "sandbox" && bindsBeyondLoopback(host, answer.listen?.bind);
  return shared ? { ...made, untried: "it would listen on every address of the machine" } : made;
}

function bindsBeyondLoopback(host: string, bind: "loopback" | "wildcard" | "client" | undefined): boolean {
  return bind === "wildcard" || (bind === "client" && host !== "localhost" && !isLoopback(host));
}

const LOOPBACK = ["127.0.0.1", "::1"];

/**
 * channels.c channel_fwd_bind_addr with semantics 7.7: where a granted listener answers, of the addresses that are
 * dialled. Null: a name, whose addresses are the machine's affair.
 */
function listensAtFor(
  { place, values }: Planning,
  host: string,
  bind: "loopback" | "wildcard" | "client",
): readonly string[] | null {
  const family = values("addressfamily")[0] ?? "any";
  const inFamily = (address: string): boolean =>
    family === "any" || (family === "inet6") === address.includes(":");
  const all = place.dialled.filter(inFamily);
  const only = (address: string): readonly string[] => all.filter((dialled) => dialled === address);
  if (bind === "wildcard") return all;
  if (bind === "loopback")
    return LOOPBACK.includes(host) ? only(host) : LOOPBACK.filter((address) => all.includes(address));
  if (host === "localhost") return LOOPBACK.filter((address) => all.includes(address));
  if (host === "" || host === "*") return all;
  if (host === "0.0.0.0") return all.filter((address) => !address.includes(":"));
  if (host === "::") return all.filter((address) => address.includes(":"));
  return place.dialled.includes(host) ? only(host) : null;
}

const MODES: readonly TunMode[] = ["point-to-point", "ethernet"];

function tunnels({ place, values }: Planning, answer: Answer): readonly Attempt[] {
  const permitted = values("permittunnel")[0] ?? "no";
  const needs = place.kind !== "sandbox" ? "a root login, or a tun device that belongs to the user" : null;
  const untried = place.kind === "server" ? "it would make a device on the server" : null;
  return MODES.map((mode) => ({
    ...attempt(
      answer,
      { kind: "tun", mode },
      answer.allowed === true && (permitted === "yes" || permitted === mode),
    ),
    needs,
    untried,
  }));
}
