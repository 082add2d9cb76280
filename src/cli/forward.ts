/** `sshd-policy forward`: options to forwards, what happens on them to people and programs, and a clean end. */
import { existsSync } from "node:fs";
import type { Directive } from "../forward/client-config.ts";
import type { Environment, Reached } from "../forward/reach.ts";
import type { HostSettings } from "../forward/settings.ts";
import type { Forward, StandardTarget } from "../forward/specification.ts";
import { visibleText } from "../report/text.ts";
import { openEventLog } from "./event-log.ts";
import { type DisplayOptions, type ForwardDisplay, openDisplay } from "./forward-display.ts";
import { complain, refuse } from "./output.ts";
import { NO_ACCOUNT } from "./own-account.ts";
import { type OwnEnvironment, ownEnvironment } from "./own-environment.ts";
import { systemReason } from "./system-reason.ts";
import { collectSooner, keepFreedMemory, whyNoSsh } from "./v8-flags.ts";

type Forwarder = typeof import("../forward/forwarder.ts");

/** An option that stands for a directive of ssh_config(5), or the destination. */
export interface Given {
  readonly letter: "J" | "p" | "l" | "i" | "o" | "4" | "6" | "destination";
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
  /** flags of ssh(1) for what no forwarder does */
  readonly notHere: readonly string[];
  readonly F?: string;
  readonly events?: string;
  readonly quiet?: boolean;
}

/** What is to be done, read from the command line and the user's configuration. */
interface Task {
  readonly settings: HostSettings;
  readonly forwards: readonly Forward[];
  readonly stdio: StandardTarget | null;
  readonly environment: OwnEnvironment;
}

/** 0: ended on request, or -W is through · 1: could not be had, or was lost · 2: wrong usage. */
export async function runForward(destination: string, options: ForwardCommandOptions): Promise<number> {
  if (options.notHere.length > 0) return refuse(whyNotHere(options.notHere));
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
    return refuse(error.message);
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
    complain(error.message);
    return error.kind === "configuration" ? 2 : 1;
  }
}

function whyNotHere(flags: readonly string[]): string {
  const names = [...new Set(flags)].map((flag) => `-${flag}`).join(", ");
  return `${names}: ssh(1) has it, this forwarder has not: it runs no command, stays in the foreground, and forwards neither X11 nor an agent`;
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
  const given = withoutMissingKeys(options.given, environment);
  const { before, after } = givenDirectives(forwarder, options, given);
  const settings = forwarder.settingsOf(destination, before, environment, after);
  const stdio = options.W === undefined ? null : forwarder.parseStandardStreams(options.W);
  if (options.W !== undefined && stdio === null)
    throw usage(`-W ${options.W}: wanted is host:port, or the path of a socket`);
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

interface GivenDirectives {
  /** the destination, whose user and port count from here on */
  readonly before: readonly Directive[];
  readonly after: readonly Directive[];
}

/** Those of forwards come before those of the configuration, which counts them all. */
function givenDirectives(
  forwarder: Forwarder,
  options: ForwardCommandOptions,
  given: readonly Given[],
): GivenDirectives {
  const open: Directive = { keyword: "gatewayports", args: ["yes"], place: "-g" };
  const forwards = (["L", "R", "D"] as const).flatMap((letter) =>
    (options[letter] ?? []).map(
      (value): Directive => ({ keyword: FORWARDS[letter], args: [value], place: `-${letter}` }),
    ),
  );
  const isFamily = ({ letter }: Given): boolean => letter === "4" || letter === "6";
  const said = (some: readonly Given[]): readonly Directive[] =>
    some.flatMap((one) => directiveOf(forwarder, one) ?? []);
  const others = (some: readonly Given[]): readonly Directive[] => said(some.filter((one) => !isFamily(one)));
  const at = given.findIndex(({ letter }) => letter === "destination");
  return {
    before: [
      ...forwards,
      ...(options.g === true ? [open] : []),
      // they set what they say, over what stands before them (ssh.c main): the last one counts
      ...said(given.filter(isFamily).slice(-1)),
      ...others(given.slice(0, at)),
    ],
    after: others(given.slice(at)),
  };
}

/** Null: it says nothing, or is the destination. */
function directiveOf(forwarder: Forwarder, { letter, value }: Given): Directive | null {
  if (letter === "destination") return null;
  if (letter === "o") return forwarder.parseOption(value);
  return { keyword: KEYWORDS[letter], args: [value], place: `-${letter}` };
}

/** ssh(1) goes on with the usual keys (ssh.c main). */
function withoutMissingKeys(given: readonly Given[], { caller, talk }: Environment): readonly Given[] {
  return given.filter(({ letter, value }) => {
    if (letter !== "i" || existsSync(value.replace(/^~(?=\/)/, caller.home))) return true;
    talk.note(`left out: -i ${value}: there is no such file`);
    return false;
  });
}

async function runStandardStreams(
  forwarder: Forwarder,
  reached: Reached,
  to: StandardTarget,
): Promise<number> {
  const lost = reached.session.closed;
  const through = forwarder
    .forwardStandardStreams(reached, to, { input: process.stdin, output: process.stdout })
    .finally(() => {
      process.stdin.destroy();
      reached.end();
    });
  await through;
  const failure = await lost;
  if (failure !== null) complain(failure.message);
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
