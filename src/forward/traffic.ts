/** What happens on the forwards: events as they come, and the connections that are open now. */
import type { Socket } from "node:net";
import type { SshFailure } from "./failure.ts";
import { relay } from "./relay.ts";
import type { Channel } from "./session.ts";

/** Texts may hold what a server or a client said: any characters. Times are left to who writes them down. */
export type ForwardEvent =
  | {
      readonly event: "connected";
      readonly host: string;
      readonly user: string;
      readonly version: string;
      readonly cipher: string;
    }
  | {
      readonly event: "listening";
      readonly forward: number;
      readonly side: "local" | "remote";
      readonly on: string;
    }
  /** the forward as a whole cannot be had */
  | { readonly event: "failed"; readonly forward: number; readonly because: string }
  | {
      readonly event: "open";
      readonly forward: number;
      readonly id: number;
      readonly from: string;
      readonly to: string;
    }
  | {
      readonly event: "refused";
      readonly forward: number;
      readonly from: string;
      readonly to: string;
      readonly kind: SshFailure["kind"];
      readonly because: string;
    }
  | ({ readonly event: "closed"; readonly forward: number; readonly id: number } & Counts)
  | { readonly event: "disconnected"; readonly because: string | null };

/** Bytes, seen from this machine: `sent` left it through the session, `received` came in through it. */
export interface Counts {
  readonly sent: number;
  readonly received: number;
}

export interface Connection {
  readonly forward: number;
  readonly id: number;
  readonly from: string;
  readonly to: string;
  readonly counts: () => Counts;
}

export interface Traffic {
  readonly open: ReadonlySet<Connection>;
  readonly tell: (event: ForwardEvent) => void;
  /** A socket of this machine's side, from its first moment on. */
  readonly own: (socket: Socket) => void;
  /** Once the session is gone: waits for own sockets whose last bytes are on their way, and then for none. */
  readonly end: (graceMs: number) => Promise<void>;
  /** Joins both and follows them to their end. */
  readonly join: (
    forward: number,
    ends: { readonly socket: Socket; readonly channel: Channel; readonly from: string; readonly to: string },
  ) => void;
}

export function makeTraffic(tell: (event: ForwardEvent) => void): Traffic {
  const open = new Set<Connection>();
  const sockets = new Set<Socket>();
  let last = 0;
  return {
    open,
    tell,
    own: (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    },
    end: async (graceMs) => {
      const late = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await Promise.all(
        [...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))),
      );
      clearTimeout(late);
    },
    join: (forward, { socket, channel, from, to }) => {
      const id = ++last;
      const counts = (): Counts => ({ sent: socket.bytesRead, received: socket.bytesWritten });
      const connection = { forward, id, from, to, counts };
      // first, as the other side waits; what it tells of comes later
      relay(socket, channel, () => {
        open.delete(connection);
        tell({ event: "closed", forward, id, ...counts() });
      });
      open.add(connection);
      tell({ event: "open", forward, id, from, to });
    },
  };
}
