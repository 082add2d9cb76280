/** -R PORT, tried: the server listens, and its clients say in SOCKS where this side shall connect. */
import { connect, type Server } from "node:net";
import type { Observation } from "../policy/probed.ts";
import { greet, type Heard, makeNonce, readGreeting, whereItAnswers } from "./greeting.ts";
import { broken, isGone, openAt, seen, textOf, untried } from "./observed.ts";
import type { Channel, Endpoint, Session } from "./session.ts";
import { handshake, socksReply } from "./socks-handshake.ts";

const OWN = "127.0.0.1";

/** Whoever connects is led to the probe's own greeting, and nowhere else. */
export async function listenSocks(
  session: Session,
  bind: Endpoint,
  dialled: readonly string[],
): Promise<Observation> {
  const nonce = makeNonce();
  const greeter = await greet({ host: OWN, port: 0 }, nonce);
  if (greeter === null) return untried("no listener of the probe's own could be made");
  const destination = { host: OWN, port: portOf(greeter) };
  try {
    await session.listenTcp(bind, ({ accept }) => void serve(accept(), destination));
    const found = await whereItAnswers(dialled, (host) => ask({ host, port: bind.port }, destination, nonce));
    await session.unlistenTcp(bind);
    return openAt(found, dialled, "its SOCKS listener");
  } catch (error) {
    return isGone(error) ? broken(error) : { ...seen("refused", textOf(error)), dialled };
  } finally {
    greeter.close();
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function serve(channel: Channel, own: Endpoint): Promise<void> {
  channel.on("error", () => {});
  const request = await handshake(channel);
  if (request === null || "because" in request) return;
  if (request.to.host !== own.host || request.to.port !== own.port) {
    channel.end(socksReply(request.version, "prohibited"), () => channel.close());
    return;
  }
  const socket = connect(own);
  socket.on("error", () => channel.close());
  channel.write(socksReply(request.version, "open"));
  socket.pipe(channel).pipe(socket);
}

/** SOCKS 5 without a login (RFC 1928): the greeting is answered by 2 bytes, the request by 10 more. */
const REPLIES = 12;

async function ask(listener: Endpoint, { host, port }: Endpoint, nonce: string): Promise<Heard> {
  const socket = connect(listener);
  const address = host.split(".").map(Number);
  socket.write(Buffer.from([5, 1, 0, 5, 1, 0, 1, ...address, port >> 8, port & 255]));
  return await readGreeting(socket, nonce, REPLIES);
}
