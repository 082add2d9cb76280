/**
 * What channels bring: their windows, and the way to a local socket, which is straight from the packet. As streams of ssh2
 * they would pass a dozen functions of Node.js for each packet, which V8 compiles anew for each of the first connections.
 */
import type { Socket } from "node:net";
import type { Client } from "ssh2";
import { SshFailure } from "./failure.ts";
import { type InsideOfChannel, insideOf } from "./protocol.ts";

/** What ssh2 grants a channel that opens (lib/Channel.js); what has been taken is granted anew in steps. */
const WINDOW = 2 * 1024 * 1024;
const STEP = WINDOW / 2;
/** What a local socket gets that has taken a first step: such a stream keeps the server busy while we work. */
const WINDOW_OF_STREAM: number = 2 * WINDOW;
/** Beyond the window, before we break off (channels.c channel_input_data): there are servers that miscount. */
const GRACE = WINDOW / 10;

export interface Inflow {
  /** From now on what comes on the channel goes to that socket, and so does its end. */
  readonly deliver: (channel: InsideOfChannel, socket: Socket) => void;
  /** To be called after each chunk that was parsed: what it held for a socket is written, at once. */
  readonly release: () => void;
}

/** Call it right after `client.connect`. */
export function takeData(client: Client, fail: (failure: SshFailure) => void): Inflow {
  const { _protocol: protocol, _chanMgr: channels } = insideOf(client);
  const grant = (channel: InsideOfChannel, window: number): void => {
    const { incoming, outgoing } = channel;
    if (outgoing.state === "closed") return;
    protocol.channelWindowAdjust(outgoing.id, window - incoming.window);
    incoming.window = window;
  };
  protocol._handlers.CHANNEL_DATA = (_, number, data) => {
    const channel = channels.get(number);
    if (typeof channel !== "object" || channel.incoming.state !== "open" || data.length === 0) return;
    channel.incoming.window -= data.length;
    if (channel.incoming.window < -GRACE)
      fail(new SshFailure("protocol", "the server sends more than the channel's window allows"));
    else if (channel.taker !== undefined) channel.taker(data);
    // as ssh2, which grants more as it is read
    else if (!channel.push(data)) channel._waitChanDrain = true;
    else if (channel.incoming.window <= WINDOW - STEP) grant(channel, WINDOW);
  };
  const held: (() => void)[] = [];
  const release = (): void => {
    for (const letGo of held) letGo();
    held.length = 0;
  };
  return {
    release,
    deliver: (channel, socket) => {
      deliverTo(socket, channel, { grant, hold: (letGo) => held.push(letGo) });
      release();
    },
  };
}

function deliverTo(
  socket: Socket,
  channel: InsideOfChannel,
  {
    grant,
    hold,
  }: { grant: (channel: InsideOfChannel, window: number) => void; hold: (letGo: () => void) => void },
): void {
  const { incoming } = channel;
  let window = WINDOW;
  const grantAnew = (): void => {
    if (window - incoming.window < STEP || socket.writableNeedDrain) return;
    window = WINDOW_OF_STREAM;
    grant(channel, window);
  };
  let isHeld = false;
  const letGo = (): void => {
    isHeld = false;
    socket.uncork();
    grantAnew();
  };
  const take = (data: Buffer): void => {
    if (!isHeld) {
      isHeld = true;
      socket.cork();
      hold(letGo);
    }
    socket.write(data);
  };
  channel.once("end", () => socket.end());
  const early = channel.read();
  if (early !== null) take(early);
  channel.taker = take;
  // it brings nothing any more but its end
  channel.resume();
  socket.on("drain", grantAnew);
  socket.once("close", () => {
    // the server's data has nowhere to go any more, but must not block what is still on its way there
    channel.taker = grantAnew;
    grantAnew();
  });
}
