/** Attempts of a client that lets the server connect: -L, -D, -W and -J, to ports and to sockets. */
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
} from "./attempt.ts";
import { socketPaths } from "./capabilities.ts";
import { endpointOf } from "./endpoint.ts";
import type { LoginKey } from "./login-key.ts";

export function openTcp(planning: Planning, answer: Answer): readonly Attempt[] {
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

export function openSocket(planning: Planning, answer: Answer): readonly Attempt[] {
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

/** servconf.c and channels.c open_match: byte for byte, `*` alone is a wildcard. */
function fitsPermitOpen(items: readonly string[], host: string, port: number): boolean {
  return items.map(endpointOf).some((item) => {
    return (item.host === "*" || item.host === host) && (item.port === "*" || item.port === `${port}`);
  });
}
