/** `sshd-policy forward`: options to forwards, what happens on them to people and programs, and a clean end. */
import type { Directive } from "../forward/client-config.ts";
import type { Environment, Reached } from "../forward/reach.ts";
import type { Endpoint } from "../forward/session.ts";
import type { HostSettings } from "../forward/settings.ts";
import type { Forward } from "../forward/specification.ts";
import { visibleText } from "../report/text.ts";
import { openEventLog } from "./event-log.ts";
import { type DisplayOptions, type ForwardDisplay, openDisplay } from "./forward-display.ts";
import { complain, refuse } from "./output.ts";
import { NO_ACCOUNT } from "./own-account.ts";
import { type OwnEnvironment, ownEnvironment } from "./own-environment.ts";
import { systemReason } from "./system-reason.ts";
import { collectSooner, keepFreedMemory, whyNoSsh } from "./v8-flags.ts";

type Forwarder = typeof import("../forward/forwarder.ts");

/** An option that stands for a directive of ssh_config(5). */
export interface Given {
  readonly letter: "J" | "p" | "l" | "i" | "o" | "4" | "6";
  readonly value: string;
}

export interface ForwardCommandOptions {
  readonly L?: readonly string[];
  readonly R?: readonly string[];
  readonly D?: readonly string[];
  readonly W?: string;
  readonly g?: boolean;
  /** in the order of the command line: the first of a keyword counts (ssh(1), ssh.c main) */
  readonly given: readonly Given[];
  readonly F?: string;
  readonly events?: string;
  readonly quiet?: boolean;
}

/** What is to be done, read from the command line and the user's configuration. */
interface Task {
  readonly settings: HostSettings;
  readonly forwards: readonly Forward[];
  readonly stdio: Endpoint | null;
  readonly environment: OwnEnvironment;
}

/** 0: ended on request, or -W is through · 1: could not be had, or was lost · 2: wrong usage. */
export async function runForward(destination: string, options: ForwardCommandOptions): Promise<number> {
  const noSsh = whyNoSsh();
  if (noSsh !== null) return refuse(noSsh);
  const forwarder: Forwarder = await import("../forward/forwarder.ts");
  // thousands of connections leave garbage, which V8 would let grow to as much as it likes
  collectSooner();
  keepFreedMemory();
  let task: Task;
  try {
    task = readTask(forwarder, destination, options);
  } catch (error) {
    if (!isFailure(error)) throw error;
    return refuse(visibleText(error.message));
  }
  const { forwards, stdio } = task;
  if (forwards.length === 0 && stdio === null) return refuse(nothingToForward(options));
  const privileged = forwarder.refusedHere(forwards);
  if (privileged !== null) return refuse(privileged);
  const log = options.events === undefined ? null : openEventLog(options.events);
  if (log !== null && typeof log !== "function") return refuse(log.refused);
  const people = options.quiet === true || options.events === "-" ? "see nothing" : "see it";
  try {
    const { settings, environment } = task;
    // a server that ends the connection waits for no answer
    const reached = await forwarder.reach(settings, environment).finally(environment.close);
    if (stdio !== null) return await runStandardStreams(forwarder, reached, stdio);
    return await runTunnels(forwarder, reached, { task, log, people });
  } catch (error) {
    if (!isFailure(error)) throw error;
    complain(visibleText(error.message));
    return error.kind === "configuration" ? 2 : 1;
  }
}

function nothingToForward({ L, R, D }: ForwardCommandOptions): string {
  const isCleared = [L, R, D].some((given) => given !== undefined);
  return `nothing to forward: ${isCleared ? "ClearAllForwardings takes away what was given" : "give -L, -R, -D or -W"}`;
}

/** Not instanceof: the class lives in a chunk of its own. */
function isFailure(error: unknown): error is Error & { readonly kind: string } {
  return error instanceof Error && error.name === "SshFailure" && "kind" in error;
}

function readTask(forwarder: Forwarder, text: string, options: ForwardCommandOptions): Task {
  const environment = ownEnvironment(forwarder.openClientFiles, options.F);
  if (environment === null) throw usage(NO_ACCOUNT);
  const missing = whyUnreadable(environment);
  if (missing !== null) throw usage(`-F ${options.F}: ${missing}`);
  const destination = forwarder.parseDestination(text, "host");
  if (destination === null)
    throw usage(`"${text}" is no destination: wanted is [user@]host or ssh://[user@]host[:port]`);
  const settings = forwarder.settingsOf(destination, givenDirectives(forwarder, options), environment);
  const stdio = options.W === undefined ? null : forwarder.parseHostPort(options.W);
  if (options.W !== undefined && stdio === null) throw usage(`-W ${options.W}: wanted is host:port`);
  // as ssh(1): -W alone, without what the configuration forwards
  const forwards = stdio !== null ? [] : forwarder.distinctForwards(settings.forwards);
  return { settings, forwards, stdio, environment };
}

/** ssh.c: the user's own file may be missing, one that was named may not. */
function whyUnreadable({ configFile, files }: Environment): string | null {
  if (configFile?.chosen !== "by the user") return null;
  try {
    files.read(configFile.path);
    return null;
  } catch (error) {
    return systemReason(error);
  }
}

function usage(message: string): Error {
  return Object.assign(new Error(message), { name: "SshFailure", kind: "configuration" });
}

const KEYWORDS = {
  J: "proxyjump",
  p: "port",
  l: "user",
  i: "identityfile",
  4: "addressfamily",
  6: "addressfamily",
} as const;

const FORWARDS = { L: "localforward", R: "remoteforward", D: "dynamicforward" } as const;

/** Those of forwards come before those of the configuration, which counts them all. */
function givenDirectives(forwarder: Forwarder, options: ForwardCommandOptions): readonly Directive[] {
  const { g, given } = options;
  const open: Directive = { keyword: "gatewayports", args: ["yes"], place: "-g" };
  const isFamily = ({ letter }: Given): boolean => letter === "4" || letter === "6";
  // they set what they say, over what stands before them (ssh.c main): the last one counts
  const family = given.findLast(isFamily);
  const others = given.filter((one) => !isFamily(one));
  return [
    ...(["L", "R", "D"] as const).flatMap((letter) =>
      (options[letter] ?? []).map(
        (value): Directive => ({ keyword: FORWARDS[letter], args: [value], place: `-${letter}` }),
      ),
    ),
    ...(g === true ? [open] : []),
    ...[...(family === undefined ? [] : [family]), ...others].map(
      ({ letter, value }): Directive =>
        letter === "o"
          ? forwarder.parseOption(value)
          : { keyword: KEYWORDS[letter], args: [value], place: `-${letter}` },
    ),
  ];
}

async function runStandardStreams(forwarder: Forwarder, reached: Reached, to: Endpoint): Promise<number> {
  const lost = reached.session.closed;
  const through = forwarder
    .forwardStandardStreams(reached, to, { input: process.stdin, output: process.stdout })
    .finally(() => {
      process.stdin.destroy();
      reached.end();
    });
  await through;
  const failure = await lost;
  if (failure !== null) complain(visibleText(failure.message));
  return failure === null ? 0 : 1;
}

async function runTunnels(
  forwarder: Forwarder,
  reached: Reached,
  { task, log, people }: { readonly task: Task } & Pick<DisplayOptions, "log" | "people">,
): Promise<number> {
  const { forwards, settings } = task;
  const display: ForwardDisplay = openDisplay(forwards, reached.route, {
    log,
    people,
    legs: forwards.map((forward) => forwarder.legs(forward, reached.route)),
  });
  const traffic = forwarder.makeTraffic(display.tell);
  display.show(traffic);
  const { session } = reached;
  traffic.tell({
    event: "connected",
    host: settings.host,
    user: settings.user,
    version: session.serverVersion,
    cipher: session.cipher,
  });
  const signal = onSignal();
  let lost: string | null;
  try {
    const over = signal.came;
    const forwarding = await forwarder.startForwards(reached, forwards, { settings, traffic, over });
    const ending = await Promise.race([session.closed, signal.came]);
    await forwarding.stop();
    lost = ending === "signal" || ending === null ? null : visibleText(ending.message);
    traffic.tell({ event: "disconnected", because: lost });
  } finally {
    signal.forget();
    display.close();
  }
  if (lost === null) return 0;
  complain(`connection lost: ${lost}`);
  return 1;
}

/** The second signal ends the program at once, as signals do. */
function onSignal(): { readonly came: Promise<"signal">; readonly forget: () => void } {
  let heard = (): void => {};
  const came = new Promise<"signal">((resolve) => {
    heard = () => resolve("signal");
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) process.once(name, heard);
  return {
    came,
    forget: () => {
      for (const name of signals) process.off(name, heard);
    },
  };
}
