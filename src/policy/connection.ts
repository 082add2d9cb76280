import { atLeast, type Release } from "../../grammar/release.ts";

/**
 * One connection as sshd sees it when it decides (auth.c get_connection_info): the fields of `sshd -C`.
 * A field that is null was not given (`sshd -T` without it).
 */
export interface Connection {
  readonly user: string | null;
  /** names of all groups; null when the user does not exist: then no Group criterion holds, not even `*` */
  readonly groups: readonly string[] | null;
  /** with UseDNS no this is the text of `addr` */
  readonly host: string | null;
  readonly addr: string | null;
  readonly laddr: string | null;
  readonly lport: number | null;
  readonly rdomain: string | null;
  readonly invalidUser: boolean;
}

/** Nothing of it was given. */
export const NO_FIELDS: Connection = {
  user: null,
  groups: null,
  host: null,
  addr: null,
  laddr: null,
  lport: null,
  rdomain: null,
  invalidUser: false,
};

/**
 * Where sshd sees no IP address (`sshd -i` behind a pipe, a unix or a vsock socket, as systemd's ssh generator makes them),
 * it puts these in (packet.c ssh_remote_ipaddr, ssh_packet_rdomain_in).
 */
export const NOT_OVER_IP = {
  addr: "UNKNOWN",
  host: "UNKNOWN",
  laddr: "UNKNOWN",
  lport: 65535,
  rdomain: null,
} as const;

/**
 * What sshd on Linux takes for the routing domain of a client outside any VRF. Up to 8.0 it knows none: configure asks
 * for linux/if.h by way of <sys/types.H>, which no Linux has (configure.ac).
 */
export function usualRoutingDomain(release: Release): "" | null {
  return atLeast(release, "8.1") ? "" : null;
}

export type Capability = "tcp-local" | "tcp-remote" | "unix-local" | "unix-remote" | "tun" | "x11" | "agent";

export const CAPABILITIES: readonly Capability[] = [
  "tcp-local",
  "tcp-remote",
  "unix-local",
  "unix-remote",
  "tun",
  "x11",
  "agent",
];
