/**
 * Restarts or reloads sshd, and proves that it happened: a restart shows in a new process, a reload in new listening
 * sockets (sshd.c sighup_restart closes them and executes itself again); both in a banner on every address.
 */
import { type Daemon, isSameDaemon } from "./daemon.ts";
import type { Machine } from "./machine.ts";
import type { Command } from "./managed-service.ts";
import { findService, type Service, type ServiceQuestion } from "./service.ts";
import { type Endpoint, isAmong, printEndpoint } from "./sockets.ts";

export type RestartResult =
  | {
      readonly kind: "up";
      /** null: it starts with the next connection */
      readonly pid: number | null;
      readonly listens: readonly Endpoint[];
      /** what was done and seen, in one line */
      readonly text: string;
    }
  | { readonly kind: "down"; readonly because: string };

/** A manager stops and starts sshd well within it; a hanging one must not hang us. */
const COMMAND_TIMEOUT = { timeoutMs: 90_000 } as const;
const UP_WITHIN_MS = 20_000;
const POLL_MS = 100;
const GREETING_MS = 5_000;

export interface Restarting extends ServiceQuestion {
  readonly how: "restart" | "reload";
  /** as it was found before the change */
  readonly service: Service;
  /** where nobody answered from here before the change: a network namespace or VRF of its own, a link-local address */
  readonly silent: readonly Endpoint[];
}

/** Of the addresses that sshd listens on, those that cannot be asked from here: no restart can be judged by them. */
export async function silentListens(machine: Machine, { listens }: Service): Promise<readonly Endpoint[]> {
  const silent: Endpoint[] = [];
  for (const endpoint of listens) if (!(await isHeard(machine, endpoint))) silent.push(endpoint);
  return silent;
}

/** Under a flood of logins sshd drops some at random (MaxStartups). */
const GREETINGS = 3;

async function isHeard(machine: Machine, endpoint: Endpoint): Promise<boolean> {
  for (let asked = 0; asked < GREETINGS; asked++)
    if ((await greeting(machine, endpoint)) !== null) return true;
  return false;
}

function greeting(machine: Machine, { address, port }: Endpoint): Promise<string | null> {
  return machine.banner(reachable(address), port, GREETING_MS);
}

export async function restartService(machine: Machine, restarting: Restarting): Promise<RestartResult> {
  const { service, how } = restarting;
  if (service.kind === "stopped") return { kind: "up", pid: null, listens: [], text: service.advice ?? "" };
  if (service.kind === "unknown")
    return { kind: "down", because: `${service.name}: ${service.advice ?? ""}` };
  const command = how === "restart" ? service.restart : service.reload;
  if (command !== null) {
    // systemd refuses a unit that was started too often, also when each start was asked for
    if (service.kind === "systemd" || service.kind === "systemd-socket")
      await machine.run(["systemctl", "reset-failed", ...command.slice(2)], COMMAND_TIMEOUT);
    const { status, stderr, stdout, failed } = await machine.run(command, COMMAND_TIMEOUT);
    if (status !== 0) {
      const said = failed ?? firstLine(stderr) ?? firstLine(stdout) ?? "it said nothing";
      return { kind: "down", because: `"${command.join(" ")}" failed (${status ?? "no answer"}): ${said}` };
    }
  }
  return awaitProof(machine, restarting, command?.join(" ") ?? "nothing to restart");
}

function firstLine(text: string): string | null {
  const line = text.split("\n").find((one) => one.trim() !== "");
  return line?.replace(/\.$/, "") ?? null;
}

async function awaitProof(machine: Machine, restarting: Restarting, done: string): Promise<RestartResult> {
  const until = machine.now().getTime() + UP_WITHIN_MS;
  for (;;) {
    const missing = await whatIsMissing(machine, restarting);
    if (typeof missing !== "string") {
      const { daemon, listens } = missing;
      const pid = daemon?.process.pid ?? null;
      return { kind: "up", pid, listens, text: describe(done, restarting, missing) };
    }
    if (machine.now().getTime() > until) return { kind: "down", because: `after "${done}" ${missing}` };
    await machine.sleep(POLL_MS);
  }
}

interface Proof {
  readonly daemon: Daemon | null;
  readonly listens: readonly Endpoint[];
}

/** The proof, or what it still lacks. */
async function whatIsMissing(machine: Machine, restarting: Restarting): Promise<Proof | string> {
  const { service, how, silent } = restarting;
  const now = await findService(machine, restarting, service.others);
  if (now.daemon === null && now.listens.length === 0) return "no sshd listens";
  const old =
    service.daemon !== null && now.daemon !== null && isOld(service.daemon, now.daemon, { service, how });
  if (old) return "the old sshd is still the one that listens";
  const { listens } = now;
  const lost = service.listens.find((endpoint) => !isAmong(listens, endpoint));
  if (lost !== undefined) return `nothing listens on ${printEndpoint(lost)} any more`;
  // asked first: each banner is a connection without a login, which newer sshds punish (PerSourcePenalties)
  if (!(await isActive(machine, now.status))) return `${now.name} is not active`;
  const unanswered = await whoDoesNotAnswer(machine, { listens, silent });
  if (unanswered !== null) return unanswered;
  // where systemd listens, our own question has started sshd
  return {
    daemon: now.daemon ?? (await findService(machine, restarting, service.others)).daemon,
    listens,
  };
}

/** A manager may have started an sshd that it will end again, as the rest of the start failed. Null: none is asked. */
export async function isActive(machine: Machine, status: Command | null): Promise<boolean> {
  return status === null || (await machine.run(status, COMMAND_TIMEOUT)).status === 0;
}

interface Asked {
  readonly listens: readonly Endpoint[];
  readonly silent: readonly Endpoint[];
}

/** Null: each address has an sshd. */
export async function whoDoesNotAnswer(machine: Machine, { listens, silent }: Asked): Promise<string | null> {
  for (const endpoint of listens) {
    if (isAmong(silent, endpoint)) continue;
    const said = await greeting(machine, endpoint);
    if (said === null) return `nothing answers on ${printEndpoint(endpoint)}`;
    if (!said.startsWith("SSH-"))
      return `something else answers on ${printEndpoint(endpoint)}: ${said.slice(0, 60)}`;
  }
  return null;
}

/** What is still missing after that time; null: nothing is. */
export async function untilNothingIsMissing(
  machine: Machine,
  ask: () => Promise<string | null>,
  withinMs: number,
): Promise<string | null> {
  const until = machine.now().getTime() + withinMs;
  for (;;) {
    const missing = await ask();
    if (missing === null || machine.now().getTime() > until) return missing;
    await machine.sleep(POLL_MS);
  }
}

type Way = Pick<Restarting, "service" | "how">;

function isOld(before: Daemon, after: Daemon, { service, how }: Way): boolean {
  if (!isSameDaemon(before, after)) return false;
  const reloads = how === "reload" || service.kind === "foreground" || service.kind === "given";
  if (!reloads) return true;
  // sockets that systemd holds outlive sshd: then only the memory of the process tells that it executed itself again
  if (service.kind === "systemd-socket") return before.process.image === after.process.image;
  return [...after.listens.keys()].some((inode) => before.listens.has(inode));
}

/** Where a listener on all addresses answers on this machine. */
function reachable(address: string): string {
  return address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
}

function describe(done: string, { service, silent }: Restarting, { daemon, listens }: Proof): string {
  const where = textOf(
    ", answers on",
    listens.filter((endpoint) => !isAmong(silent, endpoint)),
  );
  const unasked = textOf(
    "; listens, as before, where nothing answers from here:",
    listens.filter((endpoint) => isAmong(silent, endpoint)),
  );
  const isNew = daemon?.process.pid !== service.daemon?.process.pid;
  const who =
    daemon === null
      ? service.kind === "given"
        ? "its process cannot be seen here"
        : "sshd starts with each connection"
      : `${isNew ? "new " : ""}pid ${daemon.process.pid}${isNew ? "" : " has read its files again"}`;
  const others = service.others.map(
    (other) =>
      `process ${other.process.pid} on ${[...other.listens.values()].map(printEndpoint).join(" and ")}`,
  );
  const rest =
    others.length === 0
      ? ""
      : `\nfurther sshds with these files keep the OLD policy until they are restarted, too: ${others.join(", ")}`;
  return `${done}: active, ${who}${where}${unasked}${rest}`;
}

function textOf(head: string, endpoints: readonly Endpoint[]): string {
  return endpoints.length === 0 ? "" : `${head} ${endpoints.map(printEndpoint).join(" and ")}`;
}
