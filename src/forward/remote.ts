/** -R: the server listens, this machine connects; with no target the server's clients speak SOCKS to us. */
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { remoteBindHost } from "./bind.ts";
import { notOfFamily } from "./connect-tcp.ts";
import { asFailure, SshFailure } from "./failure.ts";
import type { Incoming } from "./incoming.ts";
import type { Listening } from "./local.ts";
import { MUCH_UNWRITTEN } from "./relay.ts";
import type { Channel, Session } from "./session.ts";
import { handshake, socksReply } from "./socks-handshake.ts";
import { type Forward, showEndpoint, type Target } from "./specification.ts";
import type { Traffic } from "./traffic.ts";

/** `tcp` or `socket`: somewhere on this machine's side */
type LocalTarget = Exclude<Target, { kind: "socks" }>;

interface Remote {
  /** of the forward, from 0 */
  readonly index: number;
  readonly traffic: Traffic;
  /** AddressFamily: of this side's connections, too (channels.c connect_to_helper); null: both */
  readonly family: 4 | 6 | null;
}

/** Resolves when the server listens. Rejects with an SshFailure when it refuses. */
export async function listenRemotely(
  session: Session,
  { listen, target }: Forward,
  remote: Remote,
): Promise<Listening> {
  const onConnection = (incoming: Incoming): void => {
    if (target.kind === "socks") serveSocks(incoming, remote);
    else connectHere(incoming, target, remote);
  };
  if (listen.kind === "socket") {
    await session.listenSocket(listen.path, onConnection);
    return { on: listen.path, stop: () => session.unlistenSocket(listen.path) };
  }
  const host = remoteBindHost(listen.host);
  const port = await session.listenTcp({ host, port: listen.port }, onConnection);
  const on = showEndpoint({ host: host === "" ? "*" : host, port });
  return { on, stop: () => session.unlistenTcp({ host, port }) };
}

function originOf({ origin }: Incoming): string {
  return origin === null ? "a program on the server" : showEndpoint(origin);
}

function connectHere(incoming: Incoming, target: LocalTarget, remote: Remote): void {
  const { index, traffic } = remote;
  const [from, to] = [originOf(incoming), showTarget(target)];
  connectTo(target, remote).then(
    (socket) => traffic.join(index, { socket, channel: incoming.accept(), from, to }),
    (error: unknown) => {
      incoming.reject();
      refused(traffic, { index, from, to, error });
    },
  );
}

async function serveSocks(incoming: Incoming, remote: Remote): Promise<void> {
  const { index, traffic } = remote;
  const from = originOf(incoming);
  const channel: Channel = incoming.accept();
  channel.on("error", () => {});
  const request = await handshake(channel);
  if (request === null) return;
  if ("because" in request) {
    const error = new SshFailure("protocol", request.because);
    return refused(traffic, { index, from, to: "a SOCKS destination", error });
  }
  const to = showEndpoint(request.to);
  try {
    const socket = await connectTo({ kind: "tcp", ...request.to }, remote);
    channel.write(socksReply(request.version, "open"));
    traffic.join(index, { socket, channel, from, to });
  } catch (error) {
    refused(traffic, { index, from, to, error });
    channel.end(socksReply(request.version, "refused"), () => channel.close());
    channel.resume();
  }
}

function refused(
  traffic: Traffic,
  { index, from, to, error }: { index: number; from: string; to: string; error: unknown },
): void {
  const { kind, message } = asFailure("connect-failed", error);
  traffic.tell({ event: "refused", forward: index, from, to, kind, because: message });
}

function showTarget(target: LocalTarget): string {
  return target.kind === "tcp" ? showEndpoint(target) : target.path;
}

function connectTo(target: LocalTarget, { traffic, family }: Remote): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const wrongFamily = target.kind === "tcp" ? notOfFamily(target.host, family) : null;
    if (wrongFamily !== null) return reject(wrongFamily);
    const options: NetConnectOpts & { readonly highWaterMark: number } = {
      ...(target.kind === "tcp"
        ? { host: target.host, port: target.port, noDelay: true, ...(family === null ? {} : { family }) }
        : { path: target.path }),
      allowHalfOpen: true,
      highWaterMark: MUCH_UNWRITTEN,
    };
    const socket = connect(options);
    traffic.own(socket);
    socket.once("error", (error) => {
      socket.destroy();
      reject(asFailure("connect-failed", error));
    });
    socket.once("connect", () => resolve(socket));
  });
}
