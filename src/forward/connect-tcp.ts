/** The TCP connection below a session. */
import { connect, type Socket } from "node:net";
import { asFailure, SshFailure } from "./failure.ts";
import type { Endpoint } from "./session.ts";

/**
 * A TCP connection that is fit for `connect`: without TCP_NODELAY before the handshake, Nagle's algorithm and delayed
 * acknowledgements cost each channel 40 ms. Rejects with an SshFailure.
 */
export function connectTcp(
  { host, port }: Endpoint,
  { timeoutMs, localAddress, family }: { timeoutMs: number; localAddress?: string; family?: 4 | 6 },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      noDelay: true,
      // Node's 250 ms for each address but the last would lose far hosts
      autoSelectFamilyAttemptTimeout: Math.max(10, Math.min(5_000, timeoutMs)),
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(family === undefined ? {} : { family }),
    });
    const give = (failure: SshFailure): void => {
      socket.destroy();
      reject(failure);
    };
    const timer = setTimeout(
      () => give(new SshFailure("timeout", `no connection within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const onError = (error: Error): void => {
      clearTimeout(timer);
      give(asFailure("unreachable", error));
    };
    socket.once("error", onError).once("connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      resolve(socket);
    });
  });
}
