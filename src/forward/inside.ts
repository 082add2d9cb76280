/**
 * The part of a probe that runs inside the sandbox: starts the throw-away sshd, makes one login a connection from the
 * address that its witness names, and tries what it is told.
 */
import { execFileSync, spawnSync } from "node:child_process";
import type { Socket } from "node:net";
import { networkInterfaces } from "node:os";
import type { Observation } from "../policy/probed.ts";
import { connectTcp } from "./connect-tcp.ts";
import type { AttemptJob, ConnectionJob, Job, Report } from "./job.ts";
import { observe } from "./observe.ts";
import { inUtf8, kindOf, NOT_UTF8, textOf, untried } from "./observed.ts";
import { below, makeFolders, writeAccounts } from "./sandbox-files.ts";
import { connect, type Session } from "./session.ts";
import { startSshd, type ThrowAwaySshd } from "./throw-away-sshd.ts";

/** What the caller does for the part inside. */
export interface Around {
  readonly emit: (report: Report) => void;
  /** whether a path of the server (latin1) leads to something, its links followed inside its root folder */
  readonly isThere: (root: string, path: string) => boolean;
}

/** Never throws: what goes wrong is reported. `folder`: the sandbox's root, or the temporary folder. */
export async function runInside(job: Job, folder: string, around: Around): Promise<void> {
  const { emit } = around;
  try {
    if (job.kind === "root") addAddresses(job.addresses);
    // sshd looks up the account of its unprivileged process when it starts
    const [first] = job.connections;
    if (first !== undefined) writeAccounts(folder, first);
    const listen = job.listen.filter(({ address }) => HAS_IPV6 || !address.includes(":"));
    const sshd = await startSshd({ ...job, listen }, folder);
    try {
      emit({ kind: "started", sshd: job.sshd });
      for (const [index, connection] of job.connections.entries())
        await runConnection({ ...around, job, folder, sshd }, connection, index);
    } finally {
      sshd.stop();
    }
  } catch (error) {
    emit({ kind: "failed", because: textOf(error) });
  }
}

/** ip-address(8); an address that is there already, or that no interface takes, stops none of the others. */
function addAddresses(addresses: readonly string[]): void {
  const lines = addresses.map((address) =>
    address.includes(":") ? `addr add ${address}/128 dev lo nodad\n` : `addr add ${address}/32 dev lo\n`,
  );
  try {
    execFileSync("ip", ["-force", "-batch", "-"], { input: lines.join(""), stdio: "pipe" });
  } catch {
    // a login from an address that is missing says so
  }
}

interface Inside extends Around {
  readonly job: Job;
  readonly folder: string;
  readonly sshd: ThrowAwaySshd;
}

async function runConnection(inside: Inside, connection: ConnectionJob, index: number): Promise<void> {
  const { sshd, emit, folder } = inside;
  const logged = sshd.log.length;
  let session: Session;
  try {
    writeAccounts(folder, connection);
    makeFolders(folder, connection);
    session = await logIn(sshd, connection);
  } catch (error) {
    // to wait as long for each of hundreds would be hours
    if (kindOf(error) === "timeout") throw error;
    emit({ kind: "login", connection: index, refused: await whyRefused(sshd, logged, textOf(error)) });
    return;
  }
  emit({ kind: "login", connection: index, refused: null });
  const observations = await tryAll(connection, (attempt) => tryOne(inside, connection, session, attempt));
  // a session that sshd ends (its ChrootDirectory is not safe, say) has refused nothing
  const lost = await Promise.race([session.closed, null]);
  const because = lost === null ? null : await whyRefused(sshd, logged, lost.message);
  for (const [number, observation] of observations.entries())
    emit({
      kind: "attempt",
      connection: index,
      attempt: number,
      observation:
        because === null || observation.observed === "open"
          ? observation
          : untried(`sshd ended the session: ${because}`),
    });
  session.end();
  await session.closed;
  if (lost?.kind === "timeout") throw lost;
}

const TIMEOUT_MS = 20_000;
/** The same time for an open session: ssh2 counts the probe that it sends at the end of it. */
const KEEP_ALIVE = { intervalMs: 5_000, count: 3 } as const;

async function logIn(sshd: ThrowAwaySshd, { from, to, user: bytes }: ConnectionJob): Promise<Session> {
  const user = inUtf8(bytes);
  if (user === null) throw new Error(`the user's name: ${NOT_UTF8}`);
  const [, hostKey = ""] = sshd.hostPublicKey.split(" ");
  return await connect({
    transport: await connectFrom(from, to),
    user,
    checkHostKey: async (key) =>
      key.toString("base64") === hostKey.trim() ? null : "this is not the probe's own sshd",
    credentials: [{ kind: "key", name: "the probe's", read: async () => ({ text: sshd.privateKey }) }],
    timeoutMs: TIMEOUT_MS,
    keepAlive: KEEP_ALIVE,
  });
}

/** No connection comes from 224.0.0.1, or leads to 0.0.0.0: the system takes another address. */
async function connectFrom(from: string, { address, port }: ConnectionJob["to"]): Promise<Socket> {
  const wanted = { timeoutMs: TIMEOUT_MS, localAddress: from };
  const socket = await connectTcp({ host: address, port }, wanted);
  const { localAddress, remoteAddress } = socket;
  if (localAddress === from && remoteAddress === address) return socket;
  socket.destroy();
  throw new Error(`from ${from} to ${address} this machine connects as ${localAddress} to ${remoteAddress}`);
}

const REASONS = [
  /not allowed because|refused|not permitted|denied|bad ownership|fatal/i,
  /Invalid user|no such|failed/i,
];

/** sshd's log comes through a pipe, a little later than what the client hears. */
const LOG_DELAY_MS = 100;

/** What sshd's log says since `logged` of why it ended: a line that gives a reason, before one that gives the fact. */
async function whyRefused({ log }: ThrowAwaySshd, logged: number, clientSays: string): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, LOG_DELAY_MS));
  const lines = REASONS.flatMap((pattern) => log.slice(logged).find((line) => pattern.test(line)) ?? []);
  return lines[0] ?? clientSays;
}

/** All at once, but one after the other where they want the same port, or a session channel (MaxSessions may be 1). */
async function tryAll(
  { attempts }: ConnectionJob,
  tryIt: (attempt: AttemptJob) => Promise<Observation>,
): Promise<readonly Observation[]> {
  const lanes = new Map<string, Promise<unknown>>();
  return await Promise.all(
    attempts.map((attempt, number) => {
      const lane = laneOf(attempt.request) ?? `alone ${number}`;
      const next = (lanes.get(lane) ?? Promise.resolve()).then(() => tryIt(attempt));
      lanes.set(lane, next);
      return next;
    }),
  );
}

function laneOf(request: AttemptJob["request"]): string | null {
  switch (request.kind) {
    case "agent":
    case "x11":
      return "session";
    case "open-tcp":
    case "listen-tcp":
    case "listen-socks":
      return String(request.port);
    default:
      return null;
  }
}

async function tryOne(
  { folder, job, isThere }: Inside,
  connection: ConnectionJob,
  session: Session,
  { request, listenAt, untried: because }: AttemptJob,
): Promise<Observation> {
  if (because !== null) return untried(because);
  const rootOf = job.kind === "root" ? below(folder, connection.chroot) : "/";
  const missing = whatIsMissing(request, connection, (path) => isThere(rootOf, path));
  if (missing !== null) return { ...untried(missing), why: "needs" };
  const tun = request.kind === "tun" ? makeTunDevice(request, connection) : { unit: 0 };
  if ("because" in tun) return { ...untried(`/dev/net/tun: ${tun.because}`), why: "needs" };
  try {
    return await observe(session, request, {
      listenAt,
      fileOf: (path: string) => below(rootOf, path),
      dialled: connection.dialled.filter((address) => HAS_IPV6 || !address.includes(":")),
      isAllOwn: job.kind === "root",
      tunUnit: tun.unit,
    });
  } catch (error) {
    return untried(textOf(error));
  }
}

const HAS_IPV6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

type Request = AttemptJob["request"];

function whatIsMissing(
  request: Request,
  { xauth, chroot }: ConnectionJob,
  isThere: (path: string) => boolean,
): string | null {
  const where = chroot === "" ? "" : ` in the ChrootDirectory ${chroot}`;
  if (request.kind === "x11" && !isThere(xauth)) return `xauth: there is no ${xauth}${where}`;
  if (request.kind === "tun" && !isThere("/dev/net/tun")) return `/dev/net/tun: it is not there${where}`;
  if (request.kind === "listen-tcp" && request.host.includes(":") && !HAS_IPV6)
    return "IPv6: this machine has none";
  return null;
}

/** A tun device that belongs to the user, so that he needs no privilege to open it (tuntap in the kernel's docs). */
function makeTunDevice(
  wanted: Extract<Request, { readonly kind: "tun" }>,
  { accounts }: ConnectionJob,
): { readonly unit: number } | { readonly because: string } {
  if (wanted.unit === "any") return { unit: ANY_UNIT };
  const unit = wanted.unit ?? nextTunUnit++;
  if (accounts === null) return { unit };
  const mode = wanted.mode === "ethernet" ? "tap" : "tun";
  const device = ["dev", `${mode}${unit}`, "mode", mode];
  // one that the key forces may be there from another connection, whose user's it is
  if (wanted.unit !== null) spawnSync("ip", ["tuntap", "del", ...device]);
  const add = ["tuntap", "add", ...device, "user", String(accounts.uid)];
  const { status, stderr } = spawnSync("ip", add, { encoding: "latin1" });
  return status === 0 ? { unit } : { because: stderr.trim() };
}

/** OpenSSH misc.h SSH_TUNID_ANY */
const ANY_UNIT = 0x7fffffff;
let nextTunUnit = 10;
