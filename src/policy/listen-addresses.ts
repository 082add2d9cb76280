/**
 * ListenAddress as `sshd -T` prints it: a line without a port stands for every Port, and none at all for the wildcard
 * addresses (OpenSSH servconf.c process_queued_listen_addrs, fill_default_server_options, add_listen_addr).
 */
import type { EffectiveSetting } from "./evaluate.ts";

/** `values` of the lines, without a port where the line has none. */
export function expandListenAddresses(
  listen: EffectiveSetting,
  ports: readonly string[],
  family: string,
): readonly string[] {
  const wildcards = WILDCARDS[family] ?? [];
  if (listen.values.length === 0) return ports.flatMap((port) => wildcards.map((host) => `${host}:${port}`));
  return listen.values.flatMap((value) =>
    HAS_PORT.test(value) ? [value] : ports.map((port) => `${value}:${port}`),
  );
}

const HAS_PORT = /:[0-9]+$/;

const WILDCARDS: Readonly<Record<string, readonly string[]>> = {
  any: ["[::]", "0.0.0.0"],
  inet: ["0.0.0.0"],
  inet6: ["[::]"],
};
