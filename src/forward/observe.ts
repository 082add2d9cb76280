/** One kind of forwarding, tried over a session: what the server does, seen from both ends. */
import { rmSync } from "node:fs";
import type { Request } from "../policy/attempt.ts";
import type { Observation } from "../policy/probed.ts";
import { dial, greet, type Heard, makeNonce, readGreeting, whereItAnswers } from "./greeting.ts";
import { broken, inUtf8, isGone, kindOf, NOT_UTF8, openAt, seen, textOf, untried } from "./observed.ts";
import { openTunnel, requestAgent, requestX11 } from "./requests.ts";
import type { Session } from "./session.ts";
import { listenSocks } from "./socks-listener.ts";
import { limitTime } from "./time-limit.ts";

export { untried } from "./observed.ts";

/** Where the ends of a forward are, as seen from the probe. */
export interface Surroundings {
  /** for open-tcp: the address at which the probe listens for what the server connects to */
  readonly listenAt: string;
  /** the probe's own path of a path on the server */
  readonly fileOf: (path: string) => string;
  /** addresses at which a remote forward is looked for */
  readonly dialled: readonly string[];
  /** what listens elsewhere, too, is the probe's own: in namespaces */
  readonly isAllOwn: boolean;
  /** the number of a tun device that the user may open */
  readonly tunUnit: number;
}

/** Longer than all that an attempt waits for by itself: an address that takes a connection and says nothing. */
const ANSWER_MS = 30_000;

/**
 * Ends in that time whatever the server does, and at once when the connection is lost. Requests are answered in their order
 * (RFC 4254, section 4): behind one that is not, no answer could be told from another's, so that the session ends.
 */
export async function observe(
  session: Session,
  request: Request,
  around: Surroundings,
): Promise<Observation> {
  const asked = toBeSent(request);
  if (asked === null) return untried(NOT_UTF8);
  let inTime = (): void => {};
  const unanswered = new Promise<Observation>((resolve) => {
    inTime = limitTime(ANSWER_MS, () => {
      resolve(untried(`no answer within ${ANSWER_MS / 1000} s`));
      session.end();
    });
    session.closed.then((failure) => resolve(broken(failure ?? "it has been ended")));
  });
  try {
    return await Promise.race([tryIt(session, asked, around), unanswered]);
  } finally {
    inTime();
  }
}

function toBeSent(request: Request): Request | null {
  if ("host" in request) {
    const host = inUtf8(request.host);
    return host === null ? null : { ...request, host };
  }
  if (!("path" in request)) return request;
  const path = inUtf8(request.path);
  return path === null ? null : { ...request, path };
}

async function tryIt(session: Session, request: Request, around: Surroundings): Promise<Observation> {
  switch (request.kind) {
    case "open-tcp":
      return await openTcp(session, request, around);
    case "open-socket":
      return await openSocket(session, request.path, around);
    case "listen-tcp":
      return await listenTcp(session, request, around);
    case "listen-socks":
      return await listenSocks(session, request, around.dialled);
    case "listen-socket":
      return await listenSocket(session, request.path, around);
    case "agent":
      return await granted(requestAgent(session.client));
    case "x11":
      return await granted(requestX11(session.client));
    case "tun":
      return await granted(openTunnel(session.client, request.mode, around.tunUnit));
  }
}

async function granted(request: Promise<void>): Promise<Observation> {
  try {
    await request;
    return seen("open", "");
  } catch (error) {
    return isGone(error) ? broken(error) : seen("refused", textOf(error));
  }
}

/** "prohibited" is the policy's; any other reason comes from a connection that the policy allowed. */
async function openTcp(
  session: Session,
  { host, port }: { readonly host: string; readonly port: number },
  { listenAt, isAllOwn }: Surroundings,
): Promise<Observation> {
  const nonce = makeNonce();
  const greeter = await greet({ host: listenAt, port }, nonce);
  if (greeter === null && !isAllOwn)
    return untried(`${listenAt}:${port} is not free for a listener of the probe's own`);
  try {
    const stream = await session.openTcp({ host, port });
    return seen("open", openedTo(await readGreeting(stream, nonce)));
  } catch (error) {
    if (isGone(error)) return broken(error);
    if (kindOf(error) === "prohibited") return seen("refused", textOf(error));
    return seen("open", `allowed, then the server could not connect: ${textOf(error)}`);
  } finally {
    greeter?.close();
  }
}

function openedTo(heard: Heard): string {
  if (heard === "greeting") return "";
  return `the connection opened, and ${heard === "silence" ? "nothing was heard" : "something else answered"}`;
}

/** The listener is there, so every refusal is the policy's: reason codes differ between releases (semantics 7.8). */
async function openSocket(session: Session, path: string, { fileOf }: Surroundings): Promise<Observation> {
  const nonce = makeNonce();
  const greeter = await greet({ path: fileOf(path) }, nonce);
  if (greeter === null) return untried(`no socket can be made at ${path}`);
  try {
    return seen("open", openedTo(await readGreeting(await session.openSocket(path), nonce)));
  } catch (error) {
    return isGone(error) ? broken(error) : seen("refused", textOf(error));
  } finally {
    greeter.close();
  }
}

async function listenTcp(
  session: Session,
  { host, port }: { readonly host: string; readonly port: number },
  { dialled }: Surroundings,
): Promise<Observation> {
  const nonce = makeNonce();
  try {
    await session.listenTcp({ host, port }, ({ accept }) => accept().end(nonce));
  } catch (error) {
    return isGone(error) ? broken(error) : { ...seen("refused", textOf(error)), dialled };
  }
  const found = await whereItAnswers(dialled, (address) => dial({ host: address, port }, nonce));
  await session.unlistenTcp({ host, port });
  return openAt(found, dialled, "it");
}

async function listenSocket(session: Session, path: string, { fileOf }: Surroundings): Promise<Observation> {
  const nonce = makeNonce();
  try {
    await session.listenSocket(path, ({ accept }) => accept().end(nonce));
  } catch (error) {
    return isGone(error) ? broken(error) : seen("refused", textOf(error));
  }
  const heard = await dial({ path: fileOf(path) }, nonce);
  await session.unlistenSocket(path);
  // sshd leaves the socket's file behind
  rmSync(fileOf(path), { force: true });
  return seen("open", heard === "greeting" ? "" : "the server listens, and its socket did not answer");
}
