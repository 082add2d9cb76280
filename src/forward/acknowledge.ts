/**
 * Makes the kernel acknowledge what came: sshd sets TCP_NODELAY for terminals alone, so it holds a small packet (the end
 * of an answer) back until the one before is acknowledged, which takes 40 ms unless we send something.
 * SSH_MSG_IGNORE (RFC 4253, section 11.2) is that something where nothing else has been sent.
 */
import type { Socket } from "node:net";
import type { Client } from "ssh2";
import { insideOf, type Protocol, sendMessage } from "./protocol.ts";

/** What fills no TCP segment, so that Nagle's algorithm may hold its successor back. */
const SMALL = 1400;
/** Bytes without a small segment that we had to acknowledge: what is more comes from a stream. */
const STREAM = 64 * 1024;
const PAUSE_MS = 2;
/** the number of the message, and no data */
const IGNORE = Buffer.from([2, 0, 0, 0, 0]);

/**
 * To be called after each chunk has been parsed. Two things can wait a moment for something that acknowledges them anyway,
 * and each packet that is not sent spares both sides a wake-up: the midst of a stream, whose next segment does it, and the
 * end of the only channel, after which the server has nothing to say until it hears from us.
 */
export function acknowledger(
  client: Client,
  transport: Socket,
  flush: () => void,
): (received: number) => void {
  const { _protocol: protocol } = insideOf(client);
  let stream = 0;
  let timer: NodeJS.Timeout | undefined;
  const lastEnded = watchEnds(client);
  const dataCame = watchData(protocol);
  return (received) => {
    stream += received;
    clearTimeout(timer);
    const isData = dataCame();
    const canWait = lastEnded() || stream >= STREAM;
    if (received >= SMALL) return;
    const { bytesWritten } = transport;
    const send = (): void => {
      stream = 0;
      if (transport.bytesWritten !== bytesWritten) return;
      sendIgnore(protocol, transport);
      flush();
    };
    if (canWait) timer = setTimeout(send, PAUSE_MS);
    // what follows data on the server is held back now; to anything else our own answer comes first
    else if (isData) send();
    else setImmediate(send);
  };
}

/** Tells, once, whether data for a channel came since it was last asked. */
function watchData({ _handlers: handlers }: Protocol): () => boolean {
  const handle = handlers.CHANNEL_DATA;
  let came = false;
  handlers.CHANNEL_DATA = (protocol, channel, data) => {
    handle(protocol, channel, data);
    came = true;
  };
  return () => {
    const was = came;
    came = false;
    return was;
  };
}

/** Tells, once, whether the only channel has ended since it was last asked. */
function watchEnds(client: Client): () => boolean {
  const { _chanMgr: channels, _protocol: protocol } = insideOf(client);
  let ended = false;
  const watch = (name: "CHANNEL_EOF" | "CHANNEL_CLOSE", others: number): void => {
    const handle = protocol._handlers[name];
    protocol._handlers[name] = (...message) => {
      handle(...message);
      ended = channels._count <= others;
    };
  };
  watch("CHANNEL_EOF", 1);
  watch("CHANNEL_CLOSE", 0);
  return () => {
    const was = ended;
    ended = false;
    return was;
  };
}

function sendIgnore(protocol: Protocol, transport: Socket): void {
  if (!transport.writable || protocol._kexinit !== undefined || !protocol._authenticated) return;
  sendMessage(protocol, IGNORE);
}
