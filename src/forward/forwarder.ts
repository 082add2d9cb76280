/** All forwards of a command line on one session: the module that `sshd-policy forward` loads. */
import type { Readable, Writable } from "node:stream";
import { privilegedPort } from "./bind.ts";
import { asFailure, SshFailure } from "./failure.ts";
import { type Listening, listenLocally } from "./local.ts";
import type { Reached } from "./reach.ts";
import { listenRemotely } from "./remote.ts";
import type { Channel, Session } from "./session.ts";
import type { HostSettings } from "./settings.ts";
import { type Forward, type StandardTarget, showEndpoint } from "./specification.ts";
import type { Traffic } from "./traffic.ts";

export { openClientFiles } from "./client-files.ts";
export { parseOption } from "./directives.ts";
export { legs } from "./legs.ts";
export { reach, settingsOf } from "./reach.ts";
export { distinctForwards, parseDestination, parseStandardStreams } from "./specification.ts";
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

/**
 * How long a server may take to close its listeners, which go with the session anyway, and a client to read what it has
 * been sent.
 */
const PATIENCE_MS = 2_000;

interface Start {
  readonly settings: HostSettings;
  readonly traffic: Traffic;
  /** resolves when there is no need to go on: a server that has frozen answers no request */
  readonly over: Promise<unknown>;
}

/**
 * Starts all forwards. One that cannot be had is told as an event; it rejects only with ExitOnForwardFailure, when none
 * is left, or when the session is lost meanwhile. What had been started has ended then.
 */
export async function startForwards(
  reached: Reached,
  forwards: readonly Forward[],
  { settings, traffic, over }: Start,
): Promise<Forwarding> {
  const { session, end } = reached;
  const listening: (Listening | null)[] = [];
  const stop = async (): Promise<void> => {
    const stopped = Promise.all(listening.map((one) => one?.stop().catch(() => {})));
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())]);
    end();
    await session.closed;
    await traffic.end(PATIENCE_MS);
  };
  let phase: "starting" | "over" | "started" = "starting";
  over.then(() => {
    if (phase !== "starting") return;
    phase = "over";
    end();
  });
  try {
    let refused: SshFailure | null = null;
    for (const [index, forward] of forwards.entries()) {
      const started = await startOne(session, forward, { index, settings, traffic });
      if (started instanceof SshFailure) refused = started;
      listening.push(started instanceof SshFailure ? null : started);
    }
    if (refused !== null && listening.every((one) => one === null)) throw refused;
  } catch (error) {
    await stop();
    if (phase === "starting") throw error;
  }
  phase = "started";
  return { listening, stop };
}

/** A failure that it gives has been told. It rejects with ExitOnForwardFailure, and where the session is lost. */
async function startOne(
  session: Session,
  forward: Forward,
  { index, settings, traffic }: { index: number } & Pick<Start, "settings" | "traffic">,
): Promise<Listening | SshFailure> {
  const { gatewayPorts, family, unlink, mask } = settings;
  const rules = { gatewayPorts, family, unlink, mask };
  try {
    const started =
      forward.side === "local"
        ? await listenLocally(session, { forward, index, rules, traffic })
        : await listenRemotely(session, forward, { index, traffic, family });
    traffic.tell({ event: "listening", forward: index, side: forward.side, on: started.on });
    return started;
  } catch (error) {
    const failure = asFailure("closed", error);
    if (forward.side === "remote" && failure.kind !== "request-refused") throw failure;
    const because = whyNot(forward, failure);
    traffic.tell({ event: "failed", forward: index, because });
    const refused = new SshFailure("request-refused", because);
    if (settings.exitOnForwardFailure) throw refused;
    return refused;
  }
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
  to: StandardTarget,
  { input, output }: { input: Readable; output: Writable },
): Promise<void> {
  const opening = to.kind === "tcp" ? session.openTcp(to) : session.openSocket(to.path);
  const channel = await opening.catch((error: unknown) => {
    const { kind, message } = asFailure("closed", error);
    throw new SshFailure(kind, `${to.kind === "tcp" ? showEndpoint(to) : to.path}: ${message}`);
  });
  await new Promise<void>((resolve) => {
    channel.once("close", resolve).on("error", () => {});
    // a reader that is gone (head) ends the connection
    output.on("error", () => channel.close());
    channel.once("end", () => {
      if (channel.writableFinished) return channel.close();
      channel.once("finish", () => channel.close());
      closeWhenQuiet(channel, input);
    });
    input.pipe(channel);
    channel.pipe(output, { end: false });
  });
}

const QUIET_MS = 1_000;

/**
 * The other side has ended, and may still read what is on its way. But who waits for our end, as ssh(1) does for that of its
 * ProxyCommand, keeps our input open meanwhile.
 */
function closeWhenQuiet(channel: Channel, input: Readable): void {
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => (channel.writableLength > 0 ? wait() : channel.close()), QUIET_MS);
  };
  wait();
  input.on("data", wait);
  channel.once("close", () => {
    input.off("data", wait);
    clearTimeout(timer);
  });
}
