/** From a name on the command line to a session: settings, jumps, host key, login. */
import {
  type Asked,
  type Caller,
  type ConfigFile,
  type Directive,
  readClientConfig,
} from "./client-config.ts";
import { connectTcp } from "./connect-tcp.ts";
import { asFailure, SshFailure } from "./failure.ts";
import { hostKeyCheck, type Means } from "./host-key.ts";
import { credentialsFor } from "./identities.ts";
import { type Channel, connect, type Session, type Transport } from "./session.ts";
import { type HostSettings, settingsFor } from "./settings.ts";
import { type Destination, parseDestination } from "./specification.ts";
import { limitTime } from "./time-limit.ts";

export interface Environment extends Means {
  readonly caller: Caller;
  /** the user's ssh_config(5); null: none */
  readonly configFile: ConfigFile | null;
  /** of the caller's environment */
  readonly variable: (name: string) => string | null;
}

export interface Reached {
  readonly session: Session;
  /** the hosts on the way, the last one is the server that forwards */
  readonly route: readonly HostSettings[];
  /** Closes the server first, then the jumps. */
  readonly end: () => void;
}

/** More would be a loop of ProxyJump lines in the configuration. */
const MOST_JUMPS = 16;

/** `given` stands before the destination on the command line, `later` behind it. */
export function settingsOf(
  { user, host, port }: Destination,
  given: readonly Directive[],
  environment: Environment,
  later: readonly Directive[] = [],
): HostSettings {
  const { configFile, talk } = environment;
  const said = Object.entries({ user, port }).flatMap(([keyword, value]): Directive[] =>
    value === null ? [] : [{ keyword, args: [String(value)], place: "the destination" }],
  );
  const asked: Asked = { host, given: [...given, ...said, ...later] };
  if (configFile === null) return settingsFor(asked, asked.given, environment);
  const { directives, notes } = readClientConfig(configFile, asked, environment);
  for (const note of notes) talk.note(note);
  return settingsFor(asked, directives, environment);
}

/** Rejects with an SshFailure whose message names the host. What was open by then is closed. */
export async function reach(settings: HostSettings, environment: Environment, nested = 0): Promise<Reached> {
  if (nested > MOST_JUMPS)
    throw new SshFailure("configuration", `${settings.alias}: ProxyJump goes round in circles`);
  const jumps = jumpsOf(settings);
  const opened: Reached[] = [];
  try {
    for (const [index, jump] of jumps.entries()) {
      // only the first one may have jumps of its own: the others are reached through those before them
      const hop = settingsOf(jump, [], environment);
      const previous = opened.at(-1);
      opened.push(
        index === 0
          ? await reach(hop, environment, nested + 1)
          : await logIn({ ...hop, proxyJump: null }, environment, previous),
      );
    }
    return await logIn(settings, environment, opened.at(-1));
  } catch (error) {
    for (const { end } of opened.reverse()) end();
    throw error;
  }
}

function jumpsOf({ proxyJump, alias }: HostSettings): readonly Destination[] {
  if (proxyJump === null) return [];
  return proxyJump.split(",").map((text) => {
    const destination = parseDestination(text, "host and port");
    if (destination === null)
      throw new SshFailure(
        "configuration",
        `${alias}: "${text}" is no jump host: wanted is [user@]host[:port]`,
      );
    return destination;
  });
}

async function logIn(
  settings: HostSettings,
  means: Environment,
  through: Reached | undefined,
): Promise<Reached> {
  const { host, port, user, timeoutMs, keepAlive } = settings;
  try {
    const { algorithms, check } = hostKeyCheck(settings, means);
    const transport = await transportTo(settings, through);
    const session = await connect({
      transport,
      user,
      checkHostKey: check,
      knownAlgorithms: algorithms,
      credentials: credentialsFor(settings, means),
      timeoutMs,
      ...(keepAlive === null ? {} : { keepAlive }),
      onBanner: means.talk.note,
    });
    const end = (): void => {
      session.end();
      if (through !== undefined) session.closed.then(through.end);
    };
    return { session, route: [...(through?.route ?? []), settings], end };
  } catch (error) {
    const { kind, message } = asFailure("unreachable", error);
    throw new SshFailure(kind, `${user}@${host} port ${port}: ${message}`);
  }
}

function transportTo(settings: HostSettings, through: Reached | undefined): Promise<Transport> {
  const { host, port, timeoutMs, bindAddress, family } = settings;
  if (through !== undefined) return throughJump(through, settings);
  return connectTcp(
    { host, port },
    { timeoutMs, family, ...(bindAddress === null ? {} : { localAddress: bindAddress }) },
  );
}

/** A jump that never answers whether it opens the channel must not hold us; what it refuses is its own policy's. */
async function throughJump(
  { session, route }: Reached,
  { host, port, timeoutMs }: HostSettings,
): Promise<Channel> {
  let inTime = (): void => {};
  const over = new Promise<never>((_, reject) => {
    const late = new SshFailure("timeout", `no connection within ${timeoutMs / 1000} s`);
    inTime = limitTime(timeoutMs, () => reject(late));
  });
  try {
    return await Promise.race([session.openTcp({ host, port }), over]);
  } catch (error) {
    const { kind, message } = asFailure("unreachable", error);
    throw new SshFailure(kind, `the jump host ${route.at(-1)?.alias ?? ""} says: ${message}`);
  } finally {
    inTime();
  }
}
