/** Where a local listener binds: the rules of ssh(1), and who may take a port below 1024. */
import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { asFailure } from "./failure.ts";
import type { Listen } from "./specification.ts";

const LOOPBACK = ["127.0.0.1", "::1"] as const;

/** What decides beside the address itself: -g, and AddressFamily (null: both). */
export interface BindRules {
  readonly gatewayPorts: "yes" | "no";
  readonly family: 4 | 6 | null;
}

/**
 * channels.c channel_fwd_bind_addr for a client: no address is loopback, or every one with -g; "" and "*" are every one;
 * "localhost" is loopback in both families, another name all addresses that it has. One that binds is enough: a machine
 * without IPv6 is no failure. An address of a family that is not wanted is left out (channel_set_af). Rejects with an
 * SshFailure for a name that has none.
 */
export async function bindAddresses(
  host: string | null,
  { gatewayPorts, family }: BindRules,
): Promise<readonly string[]> {
  const addresses = await addressesOf(host, gatewayPorts);
  return addresses.filter((address) => family === null || isIP(address) === family);
}

async function addressesOf(host: string | null, gatewayPorts: "yes" | "no"): Promise<readonly string[]> {
  if (host === "" || host === "*" || (host === null && gatewayPorts === "yes")) return ["0.0.0.0", "::"];
  if (host === null || host === "localhost") return LOOPBACK;
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true }).catch((error: unknown) => {
    throw asFailure("unreachable", error);
  });
  return [...new Set(found.map(({ address }) => address))];
}

/** What to send in a tcpip-forward request (channels.c channel_rfwd_bind_host). */
export function remoteBindHost(host: string | null): string {
  if (host === null) return "localhost";
  return host === "*" ? "" : host;
}

export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

/** The first port that needs no privilege: net.ipv4.ip_unprivileged_port_start (ip-sysctl.rst), 1024 elsewhere. */
function firstFreePort(): number {
  const text = readOrNull("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  const found = text === null ? Number.NaN : Number.parseInt(text, 10);
  return Number.isNaN(found) ? 1024 : found;
}

/** Bit 10 of the effective capabilities (capabilities(7)), which root has, too, unless it was taken away. */
const CAP_NET_BIND_SERVICE = 1n << 10n;

function mayBindAnyPort(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readOrNull("/proc/self/status") ?? "")?.[1];
  if (effective === undefined) return (process.getuid?.() ?? 0) === 0;
  return (BigInt(`0x${effective}`) & CAP_NET_BIND_SERVICE) !== 0n;
}

/** Why this process may not listen there, or null. */
export function privilegedPort(listen: Listen): string | null {
  if (listen.kind === "socket" || listen.port === 0) return null;
  const first = firstFreePort();
  if (listen.port >= first || mayBindAnyPort()) return null;
  const free = listen.port + 8000;
  return (
    `port ${listen.port} is privileged on this machine (below ${first}): only root, or a program with ` +
    `CAP_NET_BIND_SERVICE, may listen on it; take another one, for example ${free}`
  );
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}
