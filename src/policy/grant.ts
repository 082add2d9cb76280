/** Connections and what they may forward, as somebody wants it: the counterpart of an Answer. */
import { lowerAscii } from "../../grammar/ascii.ts";
import { matchPattern } from "../../grammar/patterns.ts";
import type { Criterion } from "../config/config.ts";
import type { Answer } from "./answer.ts";
import type { Capability } from "./connection.ts";
import { type Endpoint, endpointOf } from "./endpoint.ts";
import { isWild } from "./holding.ts";
import { findName, fullEffort, type NameConstraint } from "./theory-names.ts";

export interface Grant {
  /** all of them must hold, as on a Match line; empty: everybody */
  readonly criteria: readonly Criterion[];
  readonly capabilities: readonly Capability[];
  /** tcp-local: `host:port`, each part may be `*` · unix-local, unix-remote: paths or `*` · null: any */
  readonly destinations: readonly string[] | null;
  /** tcp-remote: `[host:]port`, each part may be `*`; null: any */
  readonly listen: readonly string[] | null;
  /** tcp-remote: `any` covers ports that listen on other addresses than loopback */
  readonly bind: "loopback" | "any";
}

type Open = Pick<Answer, "destinations" | "listen">;

/** What an open answer gives, one by one: destinations, or addresses to listen on; one empty text where neither counts. */
export function itemsOf({ destinations, listen }: Open): readonly string[] {
  const items = listen === null ? destinations : listen.addresses;
  return items.length === 0 ? [""] : items;
}

/** What a grant wants of a capability, in the same form. */
export function wantedItems(grant: Grant, capability: Capability): readonly string[] {
  switch (capability) {
    case "tcp-local":
      return grant.destinations?.filter((item) => !isSocket(item)) ?? ["*:*"];
    case "tcp-remote":
      return grant.listen ?? ["*:*"];
    case "unix-local":
    case "unix-remote":
      return grant.destinations?.filter(isSocket) ?? ["*"];
    default:
      return [""];
  }
}

function isSocket(item: string): boolean {
  return item === "*" || item.startsWith("/");
}

/** Whether one of `general` holds all that `special` names; both are items of the capability. */
export function coversItem(general: readonly string[], special: string, capability: Capability): boolean {
  const isPlace = capability === "tcp-local" || capability === "tcp-remote";
  const hostCovers = capability === "tcp-remote" ? patternCovers : textCovers;
  if (isPlace)
    return general.some((item) => endpointCovers(endpointOf(item), endpointOf(special), hostCovers));
  return general.includes("*") || general.includes(special);
}

/** Whether one of `items` and `other` may have something in common. */
export function overlapsItem(items: readonly string[], other: string, capability: Capability): boolean {
  switch (capability) {
    case "tcp-local":
      return items.some((item) => endpointsMeet(endpointOf(item), endpointOf(other), (host) => host === "*"));
    case "tcp-remote":
      return items.some((item) => endpointsMeet(endpointOf(item), endpointOf(other), isWild));
    default:
      return items.some((item) => item === other || item === "*" || other === "*");
  }
}

function endpointsMeet(a: Endpoint, b: Endpoint, isAnyHost: (host: string) => boolean): boolean {
  const hosts = a.host === b.host || isAnyHost(a.host) || isAnyHost(b.host);
  return hosts && (a.port === b.port || a.port === "*" || b.port === "*");
}

/** The port of an item of tcp-remote; null: any. */
export function portOf(item: string): number | null {
  const { port } = endpointOf(item);
  return port === "*" ? null : Number(port);
}

/** Whether one host holds all that another one does. */
type HostCovers = (general: string, special: string) => boolean;

function endpointCovers(general: Endpoint, special: Endpoint, hostCovers: HostCovers): boolean {
  return hostCovers(general.host, special.host) && (general.port === "*" || general.port === special.port);
}

/** sshd compares the text of the host, without looking it up (semantics 7.3). */
function textCovers(general: string, special: string): boolean {
  return general === "*" || general === special;
}

/** PermitListen: a pattern for what the client asks for, in lower case (channels.c remote_open_match). */
function patternCovers(general: string, special: string): boolean {
  if (/^\*+$/.test(general)) return true;
  if (!isWild(special)) return matchPattern(lowerAscii(special), general);
  if (matchPattern("", special) && !matchPattern("", general)) return false;
  const between = [constraint(special, HIT), constraint(general, NO_HIT)];
  return findName(between, { nice: [], forbidden: /[A-Z]/, effort: fullEffort() }).kind === "none";
}

const HIT: NameConstraint["wanted"] = [1];
const NO_HIT: NameConstraint["wanted"] = [0];

function constraint(pattern: string, wanted: NameConstraint["wanted"]): NameConstraint {
  return { items: [{ negated: false, pattern }], wanted };
}

/** Ports on other addresses than loopback must be wanted. */
export function bindCovers(grant: Grant, { listen }: Open): boolean {
  return listen === null || listen.bind === "loopback" || grant.bind === "any";
}
