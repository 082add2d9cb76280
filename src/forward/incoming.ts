/** Connections that the server forwards to us: each goes to the one who asked for its listener. */
import type { AcceptConnection, Client, ClientChannel } from "ssh2";
import type { Channel, Endpoint } from "./session.ts";

/** A connection that the server forwards to us. Exactly one of the two is called. */
export interface Incoming {
  /** who connected; null for a socket's client */
  readonly origin: Endpoint | null;
  readonly accept: () => Channel;
  readonly reject: () => void;
}

/** Keys are "host port" for TCP and the path for sockets, which starts with a slash. */
export type Listeners = Map<string, (incoming: Incoming) => void>;

export function keyOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}

/** Those that are being answered and those that are open; a server that opens more is refused: each costs us memory. */
const MOST_AT_ONCE = 4096;

/** Connections that nobody asked for are refused: ssh2 looks, too, but in an object whose prototype has names. */
export function takeIncoming(client: Client, guard: (channel: ClientChannel) => Channel): Listeners {
  const listeners: Listeners = new Map();
  let count = 0;
  const leave = (): void => {
    count--;
  };
  const hand = (
    key: string,
    origin: Endpoint | null,
    { accept, reject }: { accept: AcceptConnection; reject: () => void },
  ): void => {
    const onConnection = listeners.get(key);
    if (onConnection === undefined || count >= MOST_AT_ONCE) {
      reject();
      return;
    }
    count++;
    onConnection({
      origin,
      reject: () => {
        leave();
        reject();
      },
      accept: () => {
        const channel = accept() as ClientChannel;
        channel.once("close", leave);
        return guard(channel);
      },
    });
  };
  client.on("tcp connection", ({ destIP, destPort, srcIP, srcPort }, accept, reject) => {
    hand(keyOf({ host: destIP, port: destPort }), { host: srcIP, port: srcPort }, { accept, reject });
  });
  client.on("unix connection", ({ socketPath }, accept, reject) => {
    hand(socketPath, null, { accept, reject });
  });
  return listeners;
}
