/**
 * `probe --against`: the same comparison on a live server, harmless: one login, no shell and no command, destinations
 * and listeners of the probe's own, nothing of ~/.ssh/config, and an end for each step.
 */
import { hostname, networkInterfaces } from "node:os";
import type { Release } from "../../grammar/release.ts";
import { loadConfig } from "../config/load.ts";
import type { Session } from "../forward/session.ts";
import { networkAssumptions } from "../policy/assumptions.ts";
import type { Attempt } from "../policy/attempt.ts";
import { planAttempts } from "../policy/attempts.ts";
import { LOOPBACK } from "../policy/endpoint.ts";
import { exposure } from "../policy/exposure.ts";
import { readKeyOptions } from "../policy/login-key.ts";
import type { Observation, ProbedAttempt } from "../policy/probed.ts";
import { dependingOn, type Unknown } from "../policy/unknown-client.ts";
import { connectionOf, placesOn } from "./live-connection.ts";
import { NO_ACCOUNT } from "./own-account.ts";
import { ownEnvironment } from "./own-environment.ts";
import { latin1 } from "./paths.ts";
import type { ProbeEvent } from "./probe-run.ts";
import { releaseOfBanner } from "./sshd-program.ts";
import type { Target } from "./target.ts";

export interface AgainstOptions {
  readonly destination: string;
  readonly identities: readonly string[];
  /** what the server's authorized_keys has in front of the key; empty: nothing */
  readonly keyOptions: string;
  /** given with --openssh */
  readonly release: Release | null;
  readonly onEvent: (event: ProbeEvent) => void;
}

export interface AgainstResult {
  readonly attempts: readonly ProbedAttempt[];
  readonly limits: readonly string[];
  readonly assumptions: readonly string[];
  /** what the server calls itself */
  readonly sshd: string;
}

/** Wrong usage, or a server that cannot be reached: the text is for people. */
export interface Unreached {
  readonly misuse: string;
}

/** A server that stops answering is given up after 20 s: ssh2 counts a probe of the connection at the end of it. */
const KEEP_ALIVE = { intervalMs: 5_000, count: 3 } as const;

export async function probeAgainst(
  target: Target,
  options: AgainstOptions,
): Promise<AgainstResult | Unreached> {
  const forwarder = await import("../forward/forwarder.ts");
  const destination = forwarder.parseDestination(options.destination, "host and port");
  if (destination === null)
    return { misuse: `--against ${latin1(options.destination)}: wanted is user@host or user@host:port` };
  if (target.live && !isThisMachine(destination.host))
    return {
      misuse: `--against: name the configuration of ${latin1(destination.host)}, as FILE or with --root`,
    };
  const environment = ownEnvironment(forwarder.openClientFiles, "none");
  if (environment === null) return { misuse: NO_ACCOUNT };
  const keys = options.identities.map((path) => ({ keyword: "identityfile", args: [path], place: "-i" }));
  const settings = { ...forwarder.settingsOf(destination, keys, environment), keepAlive: KEEP_ALIVE };
  try {
    const { session, end } = await forwarder.reach(settings, environment).finally(environment.close);
    try {
      return await compare(target, { session, user: latin1(settings.user), options });
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

interface LoggedIn {
  readonly session: Session;
  /** latin1, as in the configuration */
  readonly user: string;
  readonly options: AgainstOptions;
}

async function compare(target: Target, { session, user, options }: LoggedIn): Promise<AgainstResult> {
  const { observe, untried } = await import("../forward/observe.ts");
  const release = options.release ?? releaseOf(target.release, session);
  const config = loadConfig(target.tree, target.path, { ...target.loadOptions, release });
  const { answers, limits } = exposure(config, { accounts: target.world });
  const { socket, connection, unknown } = connectionOf(target, config, { session, user });
  options.onEvent({ event: "login", connection, refused: null });
  const own = connection.addr ?? "127.0.0.1";
  const around = {
    listenAt: own,
    fileOf: (path: string): string => path,
    dialled: socket.localAddress === socket.remoteAddress ? LOOPBACK : [],
    isAllOwn: false,
    tunUnit: 0,
  };
  const placeAgain = await placesOn(own, { user, key: readKeyOptions(options.keyOptions) });
  const planned = planAttempts(config, answers, connection, placeAgain());
  const depending = dependingOn(unknown, { config, answers, connection, placeAgain });
  const see = async (attempt: Attempt): Promise<Observation> => {
    if (attempt.untried !== null) return { ...untried(attempt.untried), why: "left-out" };
    if (depending.has(attempt.capability)) return untried(dependsText(unknown, user));
    return explained(attempt, await observe(session, attempt.request, around));
  };
  const attempts: ProbedAttempt[] = [];
  for (const attempt of planned ?? []) {
    const probed = { connection, attempt, observation: await see(attempt) };
    attempts.push(probed);
    options.onEvent({ event: "attempt", ...probed });
  }
  const noPlan = planned === null ? ["sshd has no answer for this connection, by its configuration"] : [];
  return {
    attempts,
    limits: [...limits, ...noPlan],
    assumptions: networkAssumptions(config),
    sshd: session.serverVersion,
  };
}

/** Only the server knows, so that nobody could tell which outcome is right. */
function dependsText(unknown: readonly Unknown[], user: string): string {
  const known: Readonly<Record<Unknown, string>> = {
    host: "the name that the server finds for this client (UseDNS, Match Host)",
    groups: `the groups of ${user} on the server (Match Group), which --accounts FILE or --root would tell`,
  };
  return `it depends on ${unknown.map((what) => known[what]).join(", or on ")}`;
}

/** A banner that names its package tells of backports, too; without one, where it fits the release that was found, that does. */
function releaseOf(found: Release, { serverVersion, serverComment }: Session): Release {
  const said = releaseOfBanner(`${serverVersion} ${serverComment}`);
  if (said === null) return found;
  const isSame = said.major === found.major && said.minor === found.minor;
  return isSame && said.packageVersion === null ? found : said;
}

/** What needs another machine, or is missing on a live one, explains a refusal. */
function explained(attempt: Attempt, seen: Observation): Observation {
  const couldNeed = attempt.needs ?? (attempt.request.kind === "x11" ? "xauth on the server" : null);
  const lacks = couldNeed !== null && attempt.predicted === "open" && seen.observed === "refused";
  return lacks ? { ...seen, observed: null, why: "needs", detail: couldNeed } : seen;
}
