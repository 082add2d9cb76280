/** -L and -D: this machine listens, the server connects. */
import { existsSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { type BindRules, bindAddresses } from "./bind.ts";
import { asFailure, SshFailure } from "./failure.ts";
import { MUCH_UNWRITTEN } from "./relay.ts";
import type { Channel, Endpoint, Session } from "./session.ts";
import { handshake, socksReply } from "./socks-handshake.ts";
import { type Forward, showEndpoint, type Target } from "./specification.ts";
import type { Traffic } from "./traffic.ts";

export interface ListenRules extends BindRules {
  /** StreamLocalBindUnlink: a socket file in the way is removed first */
  readonly unlink: "yes" | "no";
  /** StreamLocalBindMask: bits that the mode of a new socket must not have */
  readonly mask: number;
}

export interface Listening {
  /** what it really listens on, for people */
  readonly on: string;
  /** No new connections; those that are open stay. */
  readonly stop: () => Promise<void>;
}

/** Resolves when it listens. Rejects with an SshFailure when no address can be had. */
export async function listenLocally(
  session: Session,
  {
    forward,
    index,
    rules,
    traffic,
  }: { forward: Forward; index: number; rules: ListenRules; traffic: Traffic },
): Promise<Listening> {
  const serve = (socket: Socket): void => {
    connectThrough(session, socket, { target: forward.target, index, traffic });
  };
  const { listen } = forward;
  return listen.kind === "socket"
    ? await listenOnSocket(listen.path, rules, serve)
    : await listenOnAll(await bindAddresses(listen.host, rules), listen.port, serve);
}

async function listenOnSocket(
  path: string,
  { unlink, mask }: ListenRules,
  serve: (socket: Socket) => void,
): Promise<Listening> {
  // libuv calls it "permission denied" (uv_pipe_bind)
  if (!existsSync(dirname(path))) throw new SshFailure("unreachable", `${path}: there is no such folder`);
  if (unlink === "yes") removeIfThere(path);
  const before = process.umask(mask);
  try {
    const bound = listenAt(serve, { path });
    process.umask(before);
    const listening = await bound;
    const own = fileAt(path);
    return { ...listening, stop: () => keepingOthers(path, own, listening.stop) };
  } catch (error) {
    throw asFailure("unreachable", error);
  } finally {
    process.umask(before);
  }
}

/** What cannot be removed is in the way, which the system will say (misc.c unix_listener). */
function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // said by the bind
  }
}

/** What tells one file of a path from the next; null: none is there. */
function fileAt(path: string): string | null {
  try {
    const { dev, ino } = lstatSync(path);
    return `${dev} ${ino}`;
  } catch {
    return null;
  }
}

/**
 * libuv removes, as it closes a socket, whatever has its path by then: the socket of a forwarder that has taken over, too
 * (StreamLocalBindUnlink). That one is out of the way meanwhile.
 */
async function keepingOthers(path: string, own: string | null, stop: () => Promise<void>): Promise<void> {
  const now = fileAt(path);
  if (now === null || now === own) return await stop();
  const aside = `${path}.${process.pid}`;
  // in a folder like /tmp another user's can be neither moved nor removed
  if (!isMoved(path, aside)) return await stop();
  try {
    await stop();
  } finally {
    renameSync(aside, path);
  }
}

function isMoved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** One address that binds is enough (channels.c channel_setup_fwd_listener_tcpip). All get the same port. */
async function listenOnAll(
  addresses: readonly string[],
  port: number,
  serve: (socket: Socket) => void,
): Promise<Listening> {
  const bound: (Listening & { port: number })[] = [];
  const problems: unknown[] = [];
  for (const host of addresses) {
    try {
      bound.push(await listenAt(serve, { host, port: bound[0]?.port ?? port, ipv6Only: host === "::" }));
    } catch (error) {
      problems.push(error);
    }
  }
  if (addresses.length === 0)
    throw new SshFailure("unreachable", "cannot listen: AddressFamily leaves out that address");
  if (bound.length === 0) throw new SshFailure("unreachable", `cannot listen: ${inWords(problems)}`);
  // a machine without IPv6 is no news; that another program answers on that port is
  const taken = problems.filter(
    (error) => error instanceof Error && "code" in error && error.code === "EADDRINUSE",
  );
  const elsewhere = taken.length === 0 ? "" : `, but not on ${inWords(taken)}`;
  return {
    on: bound.map(({ on }) => on).join(" and ") + elsewhere,
    stop: async () => {
      await Promise.all(bound.map(({ stop }) => stop()));
    },
  };
}

function inWords(problems: readonly unknown[]): string {
  return problems.map((error) => asFailure("unreachable", error).message).join(", ");
}

/** Rejects with the error of the system. */
function listenAt(
  serve: (socket: Socket) => void,
  at: { path: string } | { host: string; port: number; ipv6Only: boolean },
): Promise<Listening & { port: number }> {
  // half-open, or the end of a request would end its answer
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: MUCH_UNWRITTEN }, serve);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...at, backlog: 512 }, () => {
      // an accept that fails (no more descriptors) costs that connection, not the forwarder
      server.on("error", () => {});
      resolve({ ...nameOf(server), stop: () => closeServer(server) });
    });
  });
}

function nameOf(server: Server): { readonly on: string; readonly port: number } {
  const address = server.address();
  if (address === null || typeof address === "string") return { on: address ?? "", port: 0 };
  return { on: showEndpoint({ host: address.address, port: address.port }), port: address.port };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    resolve();
  });
}

function connectThrough(
  session: Session,
  socket: Socket,
  { target, index, traffic }: { target: Target; index: number; traffic: Traffic },
): void {
  traffic.own(socket);
  // a reset while the channel opens must not end the program
  socket.on("error", () => {});
  const origin = { host: socket.remoteAddress ?? "127.0.0.1", port: socket.remotePort ?? 0 };
  const from = socket.remoteAddress === undefined ? "a local program" : showEndpoint(origin);
  const refuse = (to: string, error: unknown): void => {
    const { kind, message } = asFailure("closed", error);
    traffic.tell({ event: "refused", forward: index, from, to, kind, because: message });
  };
  const join = (to: string, channel: Channel): void => {
    if (socket.destroyed) channel.close();
    else traffic.join(index, { socket, channel, from, to });
  };
  if (target.kind === "socks") {
    serveSocks(session, socket, { origin, join, refuse });
    return;
  }
  const to = target.kind === "tcp" ? showEndpoint(target) : target.path;
  const opening = target.kind === "tcp" ? session.openTcp(target, origin) : session.openSocket(target.path);
  opening.then(
    (channel) => join(to, channel),
    (error: unknown) => {
      refuse(to, error);
      socket.destroy();
    },
  );
}

async function serveSocks(
  session: Session,
  socket: Socket,
  {
    origin,
    join,
    refuse,
  }: {
    origin: Endpoint;
    join: (to: string, channel: Channel) => void;
    refuse: (to: string, error: unknown) => void;
  },
): Promise<void> {
  const request = await handshake(socket);
  if (request === null) return;
  if ("because" in request) return refuse("a SOCKS destination", new SshFailure("protocol", request.because));
  const to = showEndpoint(request.to);
  try {
    const channel = await session.openTcp(request.to, origin);
    socket.write(socksReply(request.version, "open"));
    join(to, channel);
  } catch (error) {
    const failure = asFailure("closed", error);
    refuse(to, failure);
    socket.end(socksReply(request.version, failure.kind === "prohibited" ? "prohibited" : "refused"));
    socket.resume();
  }
}
