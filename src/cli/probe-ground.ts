/** Where a throw-away sshd lives, and what of it is the probe's own: namespaces, or this machine's loopback. */
import { randomUUID } from "node:crypto";
import type { Config } from "../config/config.ts";
import { OWN_DESTINATION } from "../forward/accounts.ts";
import type { Listen } from "../forward/job.ts";
import type { Connection } from "../policy/connection.ts";
import { LOOPBACK } from "../policy/endpoint.ts";
import { isAddress, isListenedTo, type PlannedConnection } from "./probe-connection.ts";
import type { Ground } from "./probe-plan.ts";

/** Addresses beside loopback that the sandbox has for remote forwards (RFC 2544, RFC 5180: for tests only). */
const OUTSIDE = "198.18.0.1";
const OUTSIDE_6 = "2001:2::1";
const FIRST_PORT = 20_000;

/** Everything in namespaces: any account, address and port. */
export function inNamespaces(config: Config, connections: readonly Connection[]): Ground {
  const taken = new Set(connections.map(({ lport }) => lport ?? 22));
  let port = FIRST_PORT;
  let path = 0;
  const nextPort = (): number => {
    do port += 1;
    while (taken.has(port));
    return port;
  };
  return {
    place: {
      kind: "sandbox",
      own: OWN_DESTINATION,
      dialled: [...LOOPBACK, OUTSIDE, OUTSIDE_6],
      outside: OUTSIDE,
      nextPort,
      nextPath: () => `/tmp/probe-${++path}`,
      taken,
    },
    folder: "/etc/ssh",
    listen: () => wildcards(config, taken),
    addresses: (planned) => [...new Set([OUTSIDE, OUTSIDE_6, ...planned.flatMap(addressesOf)])],
  };
}

/** On this machine's loopback, as the caller himself. `ports` are free now. */
export function onLoopback(
  connections: readonly Connection[],
  { folder, ports }: { readonly folder: string; readonly ports: readonly number[] },
): Ground {
  const free = [...ports];
  return {
    place: {
      kind: "host",
      own: OWN_DESTINATION,
      dialled: LOOPBACK,
      outside: null,
      nextPort: () => free.pop() ?? 0,
      nextPath: () => `/tmp/sshd-policy-probe-${randomUUID()}`,
      taken: new Set(connections.map(({ lport }) => lport ?? 0)),
    },
    folder,
    listen: (planned) => distinctListens(planned.map(({ job }) => job.to)),
    addresses: () => [],
  };
}

function distinctListens(listens: readonly Listen[]): readonly Listen[] {
  return [...new Map(listens.map((listen) => [`${listen.address} ${listen.port}`, listen])).values()];
}

/** sshd listens on all addresses of its family: with more than 16 of them it would not start. */
function wildcards(config: Config, ports: ReadonlySet<number>): readonly Listen[] {
  const addresses = ["0.0.0.0", "::"].filter((address) => isListenedTo(config, address));
  return [...ports].flatMap((port) => addresses.map((address) => ({ address, port })));
}

function addressesOf({ connection: { addr, laddr }, attempts }: PlannedConnection): string[] {
  const destinations = attempts.flatMap(({ request }) => (request.kind === "open-tcp" ? [request.host] : []));
  return [addr ?? "", laddr ?? "", ...destinations].filter(isAddress);
}
