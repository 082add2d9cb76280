/** All forwards of a command line on one session: the module that `sshd-policy forward` loads. */
import type { Readable, Writable } from "node:stream";
import { privilegedPort } from "./bind.ts";
import { asFailure, SshFailure } from "./failure.ts";
import { type Listening, listenLocally } from "./local.ts";
import type { Reached } from "./reach.ts";
import { listenRemotely } from "./remote.ts";
import type { Endpoint } from "./session.ts";
import type { HostSettings } from "./settings.ts";
import { type Forward, showEndpoint } from "./specification.ts";
import type { Traffic } from "./traffic.ts";

export { parseOption } from "./directives.ts";
export { legs } from "./legs.ts";
export { reach, settingsOf } from "./reach.ts";
export { parseDestination, parseDynamic, parseForward, parseHostPort } from "./specification.ts";
export { makeTraffic } from "./traffic.ts";

export interface Forwarding {
  /** by the index of the forward: what it listens on; null where it could not be had */
  readonly listening: readonly (Listening | null)[];
  /** Takes no new connections, says goodbye, and waits a little for the other side. */
  readonly stop: () => Promise<void>;
}

/** Why a forward cannot be had whatever the server says, in words that name it; nothing has been connected by then. */
export function refusedHere(forwards: readonly Forward[]): string | null {
  for (const { side, listen } of forwards) {
    const because = side === "local" ? privilegedPort(listen) : null;
    if (because !== null) return because;
  }
  return null;
}

/** How long a server may take to close its listeners; with the session they go anyway. */
const PATIENCE_MS = 2_000;

/**
 * Starts all forwards. One that cannot be had is told as an event; it rejects only with ExitOnForwardFailure, or when none
 * is left.
 */
export async function startForwards(
  { session, end }: Reached,
  forwards: readonly Forward[],
  { settings, traffic }: { settings: HostSettings; traffic: Traffic },
): Promise<Forwarding> {
  const { gatewayPorts, family, unlink, mask } = settings;
  const listening: (Listening | null)[] = [];
  const stop = async (): Promise<void> => {
    const stopped = Promise.all(listening.map((one) => one?.stop().catch(() => {})));
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())]);
    end();
    await session.closed;
  };
  for (const [index, forward] of forwards.entries()) {
    try {
      const started =
        forward.side === "local"
          ? await listenLocally(session, {
              forward,
              index,
              rules: { gatewayPorts, family, unlink, mask },
              traffic,
            })
          : await listenRemotely(session, { forward, index, traffic });
      listening.push(started);
      traffic.tell({ event: "listening", forward: index, side: forward.side, on: started.on });
    } catch (error) {
      const because = whyNot(forward, asFailure("closed", error));
      listening.push(null);
      traffic.tell({ event: "failed", forward: index, because });
      const isLast = index === forwards.length - 1 && listening.every((one) => one === null);
      if (settings.exitOnForwardFailure || isLast) {
        await stop();
        throw new SshFailure("request-refused", because);
      }
    }
  }
  return { listening, stop };
}

/** The server gives no reason for a refused -R; this is the usual one. */
function whyNot({ side, listen }: Forward, { kind, message }: SshFailure): string {
  if (side === "local" || kind !== "request-refused") return message;
  const where = listen.kind === "socket" ? listen.path : `port ${listen.port}`;
  const privileged = listen.kind === "tcp" && listen.port > 0 && listen.port < 1024;
  return `the server refuses to listen on ${where}${privileged ? " (below 1024 it wants a login as root)" : ""}`;
}

/** -W: joins the two streams with a connection from the server to `to`; resolves at its end. */
export async function forwardStandardStreams(
  { session }: Reached,
  to: Endpoint,
  { input, output }: { input: Readable; output: Writable },
): Promise<void> {
  const channel = await session.openTcp(to).catch((error: unknown) => {
    const { kind, message } = asFailure("closed", error);
    throw new SshFailure(kind, `${showEndpoint(to)}: ${message}`);
  });
  await new Promise<void>((resolve) => {
    channel.once("close", resolve).on("error", () => {});
    // a reader that is gone (head) ends the connection
    output.on("error", () => channel.close());
    channel.once("end", () => {
      if (channel.writableFinished) channel.close();
      else channel.once("finish", () => channel.close());
    });
    input.pipe(channel);
    channel.pipe(output, { end: false });
  });
}
