/** Attempts of a client that lets the server listen: -R on ports and sockets, and -R for SOCKS. */
import { lowerAscii } from "../../grammar/ascii.ts";
import { matchPattern } from "../../grammar/patterns.ts";
import type { Release } from "../../grammar/release.ts";
import type { Answer } from "./answer.ts";
import {
  ANYWHERE,
  type Attempt,
  attempt,
  distinct,
  isLoopback,
  MOST_ITEMS,
  onlyWhereHarmless,
  type Planning,
  type ProbePlace,
  type Request,
} from "./attempt.ts";
import { endpointOf, LOOPBACK } from "./endpoint.ts";

/** below it a listener needs root (Linux: net.ipv4.ip_unprivileged_port_start) */
const FIRST_ORDINARY_PORT = 1024;
const PRIVILEGED_PORT = 1017;

export function listenTcp(planning: Planning, answer: Answer): readonly Attempt[] {
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
  const plain = distinct(wanted).map((bind): ListenRequest => ({ kind: "listen-tcp", ...bind }));
  return [...plain, { kind: "listen-socks", host: "localhost", port: place.nextPort() } as const]
    .filter(({ port }) => !place.taken.has(port))
    .map((request) => listenAttempt(planning, answer, request));
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

type ListenRequest = Extract<Request, { readonly kind: "listen-tcp" | "listen-socks" }>;

function listenAttempt(planning: Planning, answer: Answer, request: ListenRequest): Attempt {
  const { place, release } = planning;
  const { host, port } = request;
  const items = answer.listen?.addresses ?? [];
  const granted =
    answer.allowed === true &&
    place.key.portForwarding &&
    fitsPermitListen(items, host, port, release) &&
    fitsPermitListen(place.key.permitListen ?? ANYWHERE, host, port, release);
  const mayBind = port >= FIRST_ORDINARY_PORT || place.asRoot;
  const listensAt = granted ? listensAtFor(planning, host, answer.listen?.bind ?? "loopback") : [];
  const open = granted && mayBind && listensAt?.length !== 0;
  // sshd binds what a name stands for there, if anything
  const needs = open && listensAt === null ? `an address of the server that is called ${host}` : null;
  const made = { ...attempt(answer, request, open), listensAt: open ? listensAt : null, needs };
  const shared = open && place.kind !== "sandbox" && bindsBeyondLoopback(host, answer.listen?.bind);
  return shared ? { ...made, untried: "it would listen on every address of the machine" } : made;
}

function bindsBeyondLoopback(host: string, bind: "loopback" | "wildcard" | "client" | undefined): boolean {
  return bind === "wildcard" || (bind === "client" && host !== "localhost" && !isLoopback(host));
}

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

export function listenSocket(place: ProbePlace, answer: Answer): Attempt {
  // permitlisten is not asked (semantics 7.2)
  const open = answer.allowed === true && place.key.portForwarding;
  const tried = attempt(answer, { kind: "listen-socket", path: place.nextPath() }, open);
  return onlyWhereHarmless(place, tried, "sshd would leave the socket's file behind");
}

/** channels.c remote_open_match: the requested host in lower case against a pattern that is left as written. */
function fitsPermitListen(items: readonly string[], host: string, port: number, release: Release): boolean {
  return items.map(endpointOf).some((item) => {
    return (
      (item.port === "*" || item.port === `${port}`) && matchPattern(lowerAscii(host), item.host, release)
    );
  });
}
