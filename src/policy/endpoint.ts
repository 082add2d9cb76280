/** A place on the network as lists write it: items of PermitOpen and PermitListen, of policy files, and what a client asks for. */
export interface Endpoint {
  /** without brackets; `*` for any, and where a port stands alone, as in PermitListen */
  readonly host: string;
  /** a number, or `*` for any */
  readonly port: string;
}

/** Of `host:port`, `[host]:port` or `port`. */
export function endpointOf(item: string): Endpoint {
  const colon = item.lastIndexOf(":");
  const host = colon === -1 ? "*" : item.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: item.slice(colon + 1) };
}

/** Addresses that every machine has for itself. */
export const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];
