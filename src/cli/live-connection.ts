/** The probe's own end of a connection to a live server: who it is there, and what it may ask for. */
import { randomInt } from "node:crypto";
import { isIP, type Socket } from "node:net";
import type { Config } from "../config/config.ts";
import type { Session } from "../forward/session.ts";
import type { ProbePlace } from "../policy/attempt.ts";
import type { Connection } from "../policy/connection.ts";
import { usesDns } from "../policy/deciders.ts";
import { LOOPBACK } from "../policy/endpoint.ts";
import type { LoginKey } from "../policy/login-key.ts";
import { asksFor } from "../policy/specification.ts";
import type { Unknown } from "../policy/unknown-client.ts";
import { freePorts } from "./free-ports.ts";
import { knownAccounts } from "./probe-plan.ts";
import type { Target } from "./target.ts";

/** for destinations, of which a configuration names few */
const OWN_PORTS = 8;
const LISTEN_PORTS = [40_000, 60_000] as const;

/** The same place with the same ports at each call. `key`: what the server's authorized_keys says of the key that logs in. */
export async function placesOn(
  own: string,
  { user, key }: { readonly user: string; readonly key: LoginKey },
): Promise<() => ProbePlace> {
  const free = await freePorts(own, OWN_PORTS);
  const firstHigh = randomInt(...LISTEN_PORTS);
  return () => {
    const ports = [...free];
    let high = firstHigh;
    return {
      kind: "server",
      key,
      own,
      dialled: LOOPBACK,
      outside: null,
      asRoot: user === "root",
      // the destinations of the probe take ports that are free here, its listeners any that are high
      nextPort: () => ports.pop() ?? high++,
      nextPath: () => "",
      taken: new Set(),
    };
  };
}

/** As the server sees it, unless somebody translates addresses on the way. */
export function connectionOf(
  target: Target,
  config: Config,
  { session, user }: { readonly session: Session; readonly user: string },
): { readonly socket: Socket; readonly connection: Connection; readonly unknown: readonly Unknown[] } {
  const { _sock: socket } = session.client as unknown as { readonly _sock: Socket };
  const addr = plain(socket.localAddress);
  const account = knownAccounts(target)?.find(({ name }) => name === user);
  const connection: Connection = {
    user,
    groups: account?.groups ?? [],
    // without UseDNS that is its name (OpenSSH canohost.c, auth_get_canonical_hostname)
    host: addr,
    addr,
    laddr: plain(socket.remoteAddress),
    lport: socket.remotePort ?? 22,
    rdomain: "",
    invalidUser: false,
  };
  const unknown: readonly Unknown[] = [
    ...(usesDns(config) ? (["host"] as const) : []),
    ...(account === undefined && asksFor(config, "group") ? (["groups"] as const) : []),
  ];
  return { socket, connection, unknown };
}

/** An IPv4 address that Node shows as ::ffff:192.0.2.1. */
function plain(address: string | undefined): string {
  const inner = address?.replace(/^::ffff:/, "") ?? "";
  return isIP(inner) === 4 ? inner : (address ?? "");
}
