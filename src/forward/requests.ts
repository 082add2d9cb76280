/**
 * Requests that no forward needs and that ssh2 has no calls for: a session channel that asks for nothing but agent or
 * X11 forwarding, so that no shell and no command is ever started, and a tun device. It reaches into ssh2's objects;
 * test/probe.test.ts tells when another version of ssh2 needs other hands.
 */
import type { Client } from "ssh2";
import type { TunMode } from "../policy/attempt.ts";
import { asFailure, openFailure, SshFailure } from "./failure.ts";

interface SessionChannel {
  readonly outgoing: { readonly id: number };
  /** answers to channel requests, in order; true: refused */
  readonly _callbacks: ((refused: boolean) => void)[];
  readonly close: () => void;
  readonly resume: () => void;
  readonly stderr: { readonly resume: () => void };
  readonly once: (event: "close", heard: () => void) => void;
}

interface OpenCallback {
  (error: Error | undefined, channel: SessionChannel): void;
  type?: string;
}

/** Client (ssh2, lib/client.js) and its Protocol (lib/protocol/Protocol.js). */
interface Inside {
  readonly _chanMgr: { readonly add: (callback: OpenCallback) => number };
  readonly _protocol: {
    readonly session: (channel: number, window: number, packet: number) => void;
    readonly openssh_agentForward: (channel: number, wantReply: boolean) => void;
    readonly x11Forward: (channel: number, request: X11Request, wantReply: boolean) => void;
    readonly _packetRW: {
      readonly write: {
        readonly allocStart: number;
        readonly alloc: (bytes: number) => Buffer;
        readonly finalize: (packet: Buffer) => Buffer;
      };
    };
    readonly _cipher: { readonly encrypt: (packet: Buffer) => void };
  };
}

interface X11Request {
  readonly single: boolean;
  readonly protocol: string;
  readonly cookie: string;
  readonly screen: number;
}

const WINDOW = 1024 * 1024;
const PACKET = 32 * 1024;

/** auth-agent-req@openssh.com (OpenSSH's PROTOCOL.agent). Rejects with an SshFailure where the server refuses. */
export async function requestAgent(client: Client): Promise<void> {
  await inSession(client, (inside, channel) => inside._protocol.openssh_agentForward(channel, true));
}

/** x11-req (RFC 4254, section 6.3.1), with a cookie that opens nothing. */
export async function requestX11(client: Client): Promise<void> {
  const request = {
    single: false,
    protocol: "MIT-MAGIC-COOKIE-1",
    cookie: "0".repeat(32),
    screen: 0,
  };
  await inSession(client, (inside, channel) => inside._protocol.x11Forward(channel, request, true));
}

async function inSession(client: Client, ask: (inside: Inside, channel: number) => void): Promise<void> {
  const inside = client as unknown as Inside;
  const channel = await openChannel(inside, "session", (id) => inside._protocol.session(id, WINDOW, PACKET));
  try {
    await new Promise<void>((resolve, reject) => {
      channel._callbacks.push((refused) =>
        refused ? reject(new SshFailure("request-refused", "the server refuses the request")) : resolve(),
      );
      ask(inside, channel.outgoing.id);
    });
  } finally {
    await closed(channel);
  }
}

/** How long a server may take to close a session that did nothing. */
const PATIENCE_MS = 2_000;

/** Until sshd has closed it, too, it counts: with MaxSessions 1 the next one would be refused (session.c session_new). */
function closed(channel: SessionChannel): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, PATIENCE_MS);
    channel.once("close", () => {
      clearTimeout(late);
      resolve();
    });
    // ssh2 tells of the close when all has been read
    channel.resume();
    channel.stderr.resume();
    channel.close();
  });
}

function openChannel(inside: Inside, type: string, send: (id: number) => void): Promise<SessionChannel> {
  return new Promise((resolve, reject) => {
    const opened: OpenCallback = (error, channel) =>
      error === undefined ? resolve(channel) : reject(openFailure(error));
    // ssh2 makes the channel of this type when the server confirms
    opened.type = type;
    try {
      send(inside._chanMgr.add(opened));
    } catch (error) {
      reject(asFailure("closed", error));
    }
  });
}

/** RFC 4254 9: SSH_MSG_CHANNEL_OPEN */
const CHANNEL_OPEN = 90;
/** OpenSSH misc.h SSH_TUNMODE_* */
const MODES: Readonly<Record<TunMode, number>> = { "point-to-point": 1, ethernet: 2 };

/** tun@openssh.com (OpenSSH's PROTOCOL, section 2.3): opens the device of that number on the server, and closes it. */
export async function openTunnel(client: Client, mode: TunMode, unit: number): Promise<void> {
  const inside = client as unknown as Inside;
  const type = "tun@openssh.com";
  const channel = await openChannel(inside, type, (id) => {
    const words = [id, WINDOW, PACKET, MODES[mode], unit];
    const { write } = inside._protocol._packetRW;
    let at = write.allocStart;
    const packet = write.alloc(1 + 4 + type.length + 4 * words.length);
    at = packet.writeUInt8(CHANNEL_OPEN, at);
    at = packet.writeUInt32BE(type.length, at);
    at += packet.write(type, at, "latin1");
    for (const word of words) at = packet.writeUInt32BE(word, at);
    inside._protocol._cipher.encrypt(write.finalize(packet));
  });
  channel.close();
}
