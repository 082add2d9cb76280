/**
 * Requests that no forward needs and that ssh2 has no calls for: a session channel that asks for nothing but agent or
 * X11 forwarding, so that no shell and no command is ever started, and a tun device. It reaches into ssh2's objects;
 * test/probe.test.ts tells when another version of ssh2 needs other hands.
 */
import type { Client } from "ssh2";
import type { TunMode } from "../policy/attempt.ts";
import { asFailure, openFailure, SshFailure } from "./failure.ts";
import { insideOf, type OpenCallback, type Protocol, type SessionChannel, sendMessage } from "./protocol.ts";
import { limitTime } from "./time-limit.ts";
import { string, uint32 } from "./wire.ts";

const WINDOW = 1024 * 1024;
const PACKET = 32 * 1024;

/** auth-agent-req@openssh.com (OpenSSH's PROTOCOL.agent). Rejects with an SshFailure where the server refuses. */
export async function requestAgent(client: Client): Promise<void> {
  await inSession(client, (protocol, channel) => protocol.openssh_agentForward(channel, true));
}

/** x11-req (RFC 4254, section 6.3.1), with a cookie that opens nothing. */
export async function requestX11(client: Client): Promise<void> {
  const request = {
    single: false,
    protocol: "MIT-MAGIC-COOKIE-1",
    cookie: "0".repeat(32),
    screen: 0,
  };
  await inSession(client, (protocol, channel) => protocol.x11Forward(channel, request, true));
}

async function inSession(client: Client, ask: (protocol: Protocol, channel: number) => void): Promise<void> {
  const { _protocol: protocol } = insideOf(client);
  const channel = await openChannel(client, "session", (id) => protocol.session(id, WINDOW, PACKET));
  try {
    await new Promise<void>((resolve, reject) => {
      channel._callbacks.push((refused) =>
        refused ? reject(new SshFailure("request-refused", "the server refuses the request")) : resolve(),
      );
      ask(protocol, channel.outgoing.id);
    });
  } finally {
    await closed(channel);
  }
}

/** How long a server may take to close a session that did nothing: a busy machine, longer than one would think. */
const PATIENCE_MS = 20_000;

/** Until sshd has closed it, too, it counts: with MaxSessions 1 the next one would be refused (session.c session_new). */
function closed(channel: SessionChannel): Promise<void> {
  return new Promise((resolve, reject) => {
    const inTime = limitTime(PATIENCE_MS, () =>
      reject(new SshFailure("timeout", "the server does not close its session")),
    );
    channel.once("close", () => {
      inTime();
      resolve();
    });
    // ssh2 tells of the close when all has been read
    channel.resume();
    channel.stderr.resume();
    channel.close();
  });
}

function openChannel(client: Client, type: string, send: (id: number) => void): Promise<SessionChannel> {
  return new Promise((resolve, reject) => {
    const opened: OpenCallback = (error, channel) =>
      error === undefined ? resolve(channel) : reject(openFailure(error));
    opened.type = type;
    try {
      send(insideOf(client)._chanMgr.add(opened));
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
  const type = "tun@openssh.com";
  const channel = await openChannel(client, type, (id) => {
    const words = [id, WINDOW, PACKET, MODES[mode], unit].map(uint32);
    const message = [Buffer.from([CHANNEL_OPEN]), string(type), ...words];
    sendMessage(insideOf(client)._protocol, Buffer.concat(message));
  });
  channel.close();
}
