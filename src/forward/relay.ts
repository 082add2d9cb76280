/** A local socket and a channel of the session, joined: each end, reset and slow reader on one side shows on the other. */
import type { Socket } from "node:net";
import type { Channel } from "./session.ts";

/** Bytes that a local socket may hold before its peer must wait: less, and each packet of 32 KiB would stop the channel. */
export const MUCH_UNWRITTEN: number = 256 * 1024;

/**
 * `socket` must be half-open (allowHalfOpen). `done` is called once when nothing of both is left. As OpenSSH's channels
 * (channels.c, nchan.c): an end is passed on after the data before it, a reset ends the other side after the data that
 * was read, and the channel is closed when both directions are through.
 */
export function relay(socket: Socket, channel: Channel, done: () => void): void {
  // a request that has come meanwhile: the server can begin while we make ready for the rest
  const waiting: unknown = socket.read();
  if (waiting !== null) {
    channel.write(waiting);
    channel.flush();
  }
  let open = 2;
  const leave = (): void => {
    open--;
    if (open === 0) done();
  };
  socket.once("close", () => {
    if (channel.writableFinished) channel.close();
    else channel.end(() => channel.close());
    leave();
  });
  channel.once("close", () => {
    socket.unpipe(channel);
    socket.destroySoon();
    leave();
  });
  // the close that follows says it all; a write after the server's close is one of them
  socket.on("error", () => {});
  channel.on("error", () => {});
  socket.pipe(channel);
  channel.deliverTo(socket);
}
