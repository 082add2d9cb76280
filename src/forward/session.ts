/**
 * One SSH connection, as its client. The only file that imports ssh2; what ssh2 gets wrong is set right here, so that
 * nobody else needs to know.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type Client, type ClientChannel } from "ssh2";
import { offeredAlgorithms } from "./algorithms.ts";
import { type Inflow, takeData } from "./deliver.ts";
import { asFailure, openFailure, type SshFailure } from "./failure.ts";
import { gatherWrites } from "./gather-writes.ts";
import { guardChannel, guardTransport } from "./guards.ts";
import { type Incoming, keyOf, type Listeners, takeIncoming } from "./incoming.ts";
import { type Login, type LoginOptions, watchLogin } from "./login.ts";
import { insideOf } from "./protocol.ts";
import { signAtOnce } from "./sign-at-once.ts";

export interface Endpoint {
  /** name or address, without brackets */
  readonly host: string;
  readonly port: number;
}

/**
 * A stream of bytes in both directions; `end` closes one, `close` both at once. What is written leaves at the end of the
 * turn, or with `flush` at once. `deliverTo` gives all that comes to that socket, and its end, in place of `pipe`.
 */
export type Channel = Duplex & { close: () => void; flush: () => void; deliverTo: (socket: Socket) => void };

export interface Session {
  /** what follows "SSH-2.0-" in the server's identification line, without the comment */
  readonly serverVersion: string;
  /** that comment, which names the package ("Debian-2+deb12u10"); any characters, "" without one */
  readonly serverComment: string;
  /** what the first key exchange agreed on, for bytes to the server ("aes128-gcm@openssh.com") */
  readonly cipher: string;
  /** direct-tcpip (RFC 4254, section 7.2). The server sees `origin` as the one who connects. */
  readonly openTcp: (destination: Endpoint, origin?: Endpoint) => Promise<Channel>;
  /** direct-streamlocal@openssh.com (OpenSSH's PROTOCOL, section 2.4) */
  readonly openSocket: (path: string) => Promise<Channel>;
  /**
   * tcpip-forward (RFC 4254, section 7.1): the server listens. Its port, which is the server's choice for port 0.
   * Host: "" all addresses, "localhost" loopback, else an address; the server may bind less than that.
   */
  readonly listenTcp: (bind: Endpoint, onConnection: (incoming: Incoming) => void) => Promise<number>;
  readonly unlistenTcp: (bind: Endpoint) => Promise<void>;
  /** streamlocal-forward@openssh.com */
  readonly listenSocket: (path: string, onConnection: (incoming: Incoming) => void) => Promise<void>;
  readonly unlistenSocket: (path: string) => Promise<void>;
  /** Resolves when the connection is gone: null when `end` was called, else why. */
  readonly closed: Promise<SshFailure | null>;
  /** Says goodbye and closes; open channels end. */
  readonly end: () => void;
  /** ssh2's own client, for requests that no forward needs (src/forward/requests.ts) */
  readonly client: Client;
}

/** A connected socket with TCP_NODELAY (see connectTcp), or a channel of another session. */
export type Transport = Socket | Channel;

/**
 * `checkHostKey` is asked once with the key as on the wire (RFC 4253, section 6.6), and tells why not, or null.
 * `credentials` are tried in their order. `timeoutMs` is the longest wait for each answer of the server until the login
 * is through; questions to the user do not count.
 */
export interface ConnectOptions extends LoginOptions {
  readonly transport: Transport;
  /** names of host key algorithms that we hold keys of, to be asked for first (ssh's order_hostkeyalgs) */
  readonly knownAlgorithms?: readonly string[];
  /** Probes of the connection (ServerAliveInterval, ServerAliveCountMax). Without it, none. */
  readonly keepAlive?: { readonly intervalMs: number; readonly count: number };
  /** text that the server shows before the login (RFC 4252, section 5.4): any bytes, not for a terminal as it is */
  readonly onBanner?: (text: string) => void;
}

/** Logs in. Rejects with an SshFailure; the transport is closed then. */
export async function connect(options: ConnectOptions): Promise<Session> {
  const { transport } = options;
  const client: Client = new ssh2.Client();
  const login = watchLogin(client, () => transport.destroy(), options);
  const { onBanner } = options;
  if (onBanner !== undefined) client.on("banner", onBanner);
  const flush = gatherWrites(transport);
  let cipher = "";
  client.once("handshake", ({ cs }) => {
    cipher = cs.cipher;
  });
  client.connect({
    sock: transport,
    username: options.user,
    hostVerifier: login.checkHostKey,
    authHandler: login.nextCredential,
    algorithms: offeredAlgorithms(options.knownAlgorithms ?? []),
    readyTimeout: 0,
    keepaliveInterval: options.keepAlive?.intervalMs ?? 0,
    keepaliveCountMax: options.keepAlive?.count ?? 0,
    strictVendor: false,
  });
  signAtOnce(insideOf(client)._protocol);
  let server = { serverVersion: "", serverComment: "" };
  const { deliver, release } = takeData(client, login.fail);
  guardTransport(client, transport, {
    flush,
    release,
    fail: login.fail,
    onIdentification: (serverVersion, serverComment) => {
      server = { serverVersion, serverComment };
    },
  });
  await login.ready;
  return makeSession(client, transport, { login, server, cipher, flush, deliver });
}

const NOWHERE: Endpoint = { host: "127.0.0.1", port: 0 };

function makeSession(
  client: Client,
  transport: Transport,
  {
    login,
    server,
    cipher,
    flush,
    deliver,
  }: {
    login: Login;
    server: Pick<Session, "serverVersion" | "serverComment">;
    cipher: string;
    flush: () => void;
    deliver: Inflow["deliver"];
  },
): Session {
  const guard = (channel: ClientChannel): Channel =>
    guardChannel(channel, { transport, fail: login.fail, flush, deliver });
  const { opened, requested } = answersOf(guard, login.lost);
  return {
    ...server,
    cipher,
    client,
    openTcp: ({ host, port }, origin = NOWHERE) =>
      opened((done) => client.forwardOut(origin.host, origin.port, host, port, done)),
    openSocket: (path) => opened((done) => client.openssh_forwardOutStreamLocal(path, done)),
    ...listeningOf(client, takeIncoming(client, guard), requested),
    closed: login.closed,
    end: login.end,
  };
}

function listeningOf(
  client: Client,
  listeners: Listeners,
  requested: Answers["requested"],
): Pick<Session, "listenTcp" | "unlistenTcp" | "listenSocket" | "unlistenSocket"> {
  return {
    listenTcp: async (bind, onConnection) => {
      let bound = bind.port;
      await requested((done) =>
        client.forwardIn(bind.host, bind.port, (error: Error | undefined, port: number) => {
          bound = port;
          // here and not after the promise: a connection may follow the answer in the same packet
          if (error === undefined) listeners.set(keyOf({ host: bind.host, port }), onConnection);
          done(error);
        }),
      );
      return bound;
    },
    unlistenTcp: (bind) => {
      listeners.delete(keyOf(bind));
      return requested((done) => client.unforwardIn(bind.host, bind.port, done));
    },
    listenSocket: (path, onConnection) =>
      requested((done) =>
        client.openssh_forwardInStreamLocal(path, (error) => {
          if (error === undefined || error === null) listeners.set(path, onConnection);
          done(error);
        }),
      ),
    unlistenSocket: (path) => {
      listeners.delete(path);
      return requested((done) => client.openssh_unforwardInStreamLocal(path, done));
    },
  };
}

interface Answers {
  readonly opened: (
    call: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
  ) => Promise<Channel>;
  readonly requested: (call: (done: (error?: Error | null) => void) => void) => Promise<void>;
}

/**
 * Calls of ssh2 as promises. It throws when the connection has gone, and says so to whoever waits for an answer in the
 * same way as a refusal: then the reason is that of the connection.
 */
function answersOf(guard: (channel: ClientChannel) => Channel, lost: Login["lost"]): Answers {
  const attempt = (reject: (failure: SshFailure) => void, call: () => void): void => {
    try {
      call();
    } catch (error) {
      reject(lost() ?? asFailure("closed", error));
    }
  };
  return {
    opened: (call) =>
      new Promise((resolve, reject) => {
        attempt(reject, () =>
          call((error, channel) => {
            if (error === undefined) resolve(guard(channel));
            else reject(lost() ?? openFailure(error));
          }),
        );
      }),
    requested: (call) =>
      new Promise((resolve, reject) => {
        attempt(reject, () =>
          call((error) => {
            if (error === undefined || error === null) resolve();
            else reject(lost() ?? asFailure("request-refused", error));
          }),
        );
      }),
  };
}

/** Keys as ssh2 reads them: an Error, returned, when it cannot. */
export const parseKey: typeof ssh2.utils.parseKey = ssh2.utils.parseKey;
export const createAgent: typeof ssh2.createAgent = ssh2.createAgent;
