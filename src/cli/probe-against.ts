/**
 * `probe --against`: the same comparison on a live server, harmless: one login, no shell and no command, destinations
 * and listeners of the probe's own, nothing of ~/.ssh/config, and an end for each step.
 */
import { randomInt } from "node:crypto";
import { createServer, isIP, type Socket } from "node:net";
import { hostname, networkInterfaces, userInfo } from "node:os";
import type { Release } from "../../grammar/release.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import type { Environment } from "../forward/reach.ts";
import type { Session } from "../forward/session.ts";
import type { Attempt, ProbePlace } from "../policy/attempt.ts";
import { planAttempts } from "../policy/attempts.ts";
import type { Connection } from "../policy/connection.ts";
import { exposure } from "../policy/exposure.ts";
import { PLAIN_KEY } from "../policy/login-key.ts";
import type { Observation, ProbedAttempt } from "../policy/probed.ts";
import { usesDns } from "../policy/reasoning.ts";
import { knownAccounts } from "./probe-plan.ts";
import type { ProbeEvent } from "./probe-run.ts";
import { terminalTalk } from "./questions.ts";
import { releaseOfBanner } from "./sshd-program.ts";
import type { Target } from "./target.ts";

export interface AgainstOptions {
  readonly destination: string;
  readonly identities: readonly string[];
  /** given with --openssh */
  readonly release: Release | null;
  readonly onEvent: (event: ProbeEvent) => void;
}

export interface AgainstResult {
  readonly attempts: readonly ProbedAttempt[];
  readonly limits: readonly string[];
  /** what the server calls itself */
  readonly sshd: string;
}

/** Wrong usage, or a server that cannot be reached: the text is for people. */
export interface Unreached {
  readonly misuse: string;
}

const LISTEN_PORTS = [40_000, 60_000] as const;

export async function probeAgainst(
  target: Target,
  options: AgainstOptions,
): Promise<AgainstResult | Unreached> {
  const forwarder = await import("../forward/forwarder.ts");
  const destination = forwarder.parseDestination(options.destination, "host and port");
  if (destination === null)
    return { misuse: `--against ${options.destination}: wanted is user@host or user@host:port` };
  if (target.live && !isThisMachine(destination.host))
    return { misuse: `--against: name the configuration of ${destination.host}, as FILE or with --root` };
  const environment = callersEnvironment();
  const keys = options.identities.map((path) => ({ keyword: "identityfile", args: [path], place: "-i" }));
  const settings = forwarder.settingsOf(destination, keys, environment);
  try {
    const { session, end } = await forwarder.reach(settings, environment);
    try {
      return await compare(target, { session, user: settings.user, options });
    } finally {
      end();
    }
  } catch (error) {
    return { misuse: error instanceof Error ? error.message : String(error) };
  }
}

function isThisMachine(host: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return ["localhost", hostname()].includes(host) || own.some(({ address }) => address === host);
}

function callersEnvironment(): Environment {
  const { homedir: home, username: name, uid } = userInfo();
  const agentSocket = process.env["SSH_AUTH_SOCK"] ?? null;
  return { caller: { home, name, uid }, configFile: null, agentSocket, talk: terminalTalk() };
}

interface LoggedIn {
  readonly session: Session;
  readonly user: string;
  readonly options: AgainstOptions;
}

async function compare(target: Target, { session, user, options }: LoggedIn): Promise<AgainstResult> {
  const { observe, untried } = await import("../forward/observe.ts");
  const release = options.release ?? releaseOf(target.release, session.serverVersion);
  const config = loadConfig(target.tree, target.path, { ...target.loadOptions, release });
  const { answers, limits } = exposure(config, { accounts: target.world });
  const { socket, connection, unknown } = connectionOf(target, config, { session, user });
  options.onEvent({ event: "login", connection, refused: null });
  const own = connection.addr ?? "127.0.0.1";
  const isHere = socket.localAddress === socket.remoteAddress;
  const planned = planAttempts(config, answers, connection, await placeOn(own, user));
  const attempts: ProbedAttempt[] = [];
  let isGone = false;
  session.closed.then(() => {
    isGone = true;
  });
  for (const attempt of planned ?? []) {
    const seen: Observation =
      attempt.untried === null
        ? await observe(session, attempt.request, {
            listenAt: own,
            fileOf: (path) => path,
            dialled: isHere ? LOOPBACK : [],
            isAllOwn: false,
            tunUnit: 0,
          })
        : { ...untried(attempt.untried), why: "left-out" };
    // a server that ends the connection has refused nothing
    const observation = isGone ? untried("the server ended the connection") : explained(attempt, seen);
    const probed = { connection, attempt, observation };
    attempts.push(probed);
    options.onEvent({ event: "attempt", ...probed });
  }
  return {
    attempts,
    limits: [
      ...limits,
      ...unknown,
      ...(planned === null ? ["sshd has no answer for this connection, by its configuration"] : []),
    ],
    sshd: session.serverVersion,
  };
}

/** A server whose banner fits the release that was found is that one, with its backports. */
function releaseOf(found: Release, version: string): Release {
  const said = releaseOfBanner(version);
  if (said === null) return found;
  const isSame = said.major === found.major && said.minor === found.minor;
  return isSame ? found : said;
}

const LOOPBACK = ["127.0.0.1", "::1"];

/** What needs another machine, or is missing on a live one, explains a refusal. */
function explained(attempt: Attempt, seen: Observation): Observation {
  const couldNeed = attempt.needs ?? (attempt.request.kind === "x11" ? "xauth on the server" : null);
  const lacks = couldNeed !== null && attempt.predicted === "open" && seen.observed === "refused";
  return lacks ? { ...seen, observed: null, why: "needs", detail: couldNeed } : seen;
}

async function placeOn(own: string, user: string): Promise<ProbePlace> {
  const ports = await Promise.all(Array.from({ length: 8 }, () => freePort(own)));
  return {
    kind: "server",
    key: PLAIN_KEY,
    own,
    dialled: LOOPBACK,
    outside: null,
    asRoot: user === "root",
    // the destinations of the probe take ports that are free here, its listeners any that are high
    nextPort: () => ports.pop() ?? randomInt(...LISTEN_PORTS),
    nextPath: () => "",
    taken: new Set(),
  };
}

function freePort(address: string): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, address, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : 0));
    });
  });
}

/** As the server sees it, unless somebody translates addresses on the way. */
function connectionOf(
  target: Target,
  config: Config,
  { session, user }: Pick<LoggedIn, "session" | "user">,
): { readonly socket: Socket; readonly connection: Connection; readonly unknown: readonly string[] } {
  const { _sock: socket } = session.client as unknown as { readonly _sock: Socket };
  const addr = plain(socket.localAddress);
  const account = knownAccounts(target)?.find(({ name }) => name === user);
  const asks = (attribute: string): boolean =>
    config.matches.some(({ criteria }) => criteria.some((criterion) => criterion.attribute === attribute));
  const connection: Connection = {
    user,
    groups: account?.groups ?? [],
    host: addr,
    addr,
    laddr: plain(socket.remoteAddress),
    lport: socket.remotePort ?? 22,
    rdomain: "",
    invalidUser: false,
  };
  const unknown = [
    ...(account === undefined && asks("group")
      ? [`the groups of ${user} on the server are not known: Match Group is judged as if there were none`]
      : []),
    // without UseDNS the name is the address (OpenSSH canohost.c, auth_get_canonical_hostname)
    ...(asks("host") && usesDns(config)
      ? ["the name that the server finds for this client is not known: Match Host is judged by its address"]
      : []),
  ];
  return { socket, connection, unknown };
}

/** An IPv4 address that Node shows as ::ffff:192.0.2.1. */
function plain(address: string | undefined): string {
  const inner = address?.replace(/^::ffff:/, "") ?? "";
  return isIP(inner) === 4 ? inner : (address ?? "");
}
