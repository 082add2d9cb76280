/**
 * An sshd of our own where the service does not come up any more, with the old files neither: the program, the options
 * and the addresses of the sshd that ran before. Who reaches this host only over SSH would be locked out else.
 */
import { printOptions } from "./command-line.ts";
import { type Daemon, findDaemons } from "./daemon.ts";
import type { Machine } from "./machine.ts";
import { type Command, type Service, typedCommand } from "./managed-service.ts";
import { linkOf, statusOf } from "./processes.ts";
import { isActive, untilNothingIsMissing, whoDoesNotAnswer } from "./restart.ts";
import type { TestCommand } from "./service.ts";
import { type Endpoint, isAmong, printEndpoint } from "./sockets.ts";
import { isUnit, unitOf } from "./systemd.ts";
import type { Rescued } from "./undo.ts";

/** What is written down before the change, while there is an sshd to be seen. */
export interface RescuePlan {
  /** without how it runs */
  readonly command: Command;
  /** units of systemd that must leave its addresses and its folder alone; the first one starts sshd again */
  readonly units: readonly string[];
}

/** On systemd, where what a session starts may end with it (logind.conf(5), KillUserProcesses). */
const RESCUE_UNIT = "sshd-policy-rescue.service";
/**
 * By this option it is known for what it is, on every init, for as long as it lives; and the init's own script, which asks
 * sshd's usual pid file, does not end it with a service that it cannot start.
 */
const RESCUE_MARK = "PidFile=/run/sshd-policy-rescue.pid";
/** The service's own unit would remove the folder of privilege separation when it is tried in vain: not what is mounted. */
const UNIT_PROPERTIES = [
  "KillMode=process",
  "RuntimeDirectory=sshd",
  "ExecStartPre=-/bin/mount --bind /run/sshd /run/sshd",
  "ExecStopPost=-/bin/umount /run/sshd",
] as const;
const ANSWERS_WITHIN_MS = 10_000;
/** Letters that decide how sshd runs, not what it serves. */
const HOW_IT_RUNS = "Ddeit";

function isRescue({ options }: Daemon): boolean {
  return options.some(({ letter, value }) => letter === "o" && value === RESCUE_MARK);
}

/** What a later fix says of one: whatever is done to it, the service stays down. Null: none is there. */
export function whyRescueFirst(machine: Machine, { daemon, others }: Service): string | null {
  const rescue = [daemon, ...others].find((one) => one !== null && isRescue(one));
  if (rescue === undefined || rescue === null) return null;
  const { pid } = rescue.process;
  const [name, end] =
    unitOf(machine, pid) === RESCUE_UNIT
      ? [RESCUE_UNIT, `systemctl stop ${RESCUE_UNIT}`]
      : [`process ${pid}`, `kill ${pid}`];
  return `the rescue sshd of an earlier fix listens (${name}): mend sshd's own service, then ${end} and start that in one line`;
}

/** `next`: how an sshd is run that a socket of systemd has not started yet. Null: nothing is known to run like it. */
export function planRescue(machine: Machine, service: Service, next: TestCommand | null): RescuePlan | null {
  const { daemon, kind, restart, status } = service;
  const command = daemon === null ? commandOf(next) : ownCommand(machine, daemon);
  if (command === null) return null;
  // the socket listens elsewhere than the files say, and it would start the service that fails again and again
  if (kind === "systemd-socket") {
    const units = [status, restart].flatMap((argv) => argv?.at(-1) ?? []);
    return { command: [...command, ...listenOptions(service.listens)], units };
  }
  const unit = daemon === null ? null : unitOf(machine, daemon.process.pid);
  return daemon === null ? null : { command, units: isUnit(unit) ? [unit] : [] };
}

function commandOf(next: TestCommand | null): Command | null {
  return next === null ? null : [next.program, ...next.options];
}

/** Null where one of ours would listen on other networks than that sshd. */
function ownCommand(machine: Machine, { process, program, options }: Daemon): Command | null {
  const network = (pid: number | "self"): string | null => linkOf(machine, `/proc/${pid}/ns/net`);
  if (network("self") === null || network(process.pid) !== network("self")) return null;
  return [program, ...printOptions(options.filter(({ letter }) => !HOW_IT_RUNS.includes(letter)))];
}

/** sshd's own sockets are of one family each, systemd's [::] takes IPv4, too (systemd.socket(5), BindIPv6Only). */
function listenOptions(listens: readonly Endpoint[]): readonly string[] {
  const both = listens.flatMap((one) =>
    one.address === "::" ? [one, { address: "0.0.0.0", port: one.port }] : [one],
  );
  return [...new Set(both.map(printEndpoint))].flatMap((one) => ["-o", `ListenAddress=${one}`]);
}

export interface RescueOrder {
  readonly plan: RescuePlan;
  readonly configFile: string;
  readonly manager: Pick<Service, "kind" | "listens" | "restart">;
  readonly silent: readonly Endpoint[];
  /** why the service is down */
  readonly because: string;
}

/** Starts it, unless sshds with these files that stay listen everywhere. */
export async function rescue(machine: Machine, order: RescueOrder): Promise<Rescued> {
  const { plan, configFile, manager, silent, because } = order;
  const wanted = await unserved(machine, order);
  if (wanted === null) return { kind: "down", because };
  const end = await startRescue(machine, plan);
  const missing = await untilNothingIsMissing(
    machine,
    async () =>
      whyNotListening(machine, configFile, wanted) ??
      (await whoDoesNotAnswer(machine, { listens: wanted, silent })),
    ANSWERS_WITHIN_MS,
  );
  if (missing !== null) return { kind: "down", because: `${because}; nor does a rescue sshd: ${missing}` };
  const start = startAgain(plan, manager);
  const back =
    start === null
      ? `end it (${end}) and start sshd as it was started, in one line`
      : `run in one line: ${end}; ${start}`;
  return {
    kind: "rescued",
    text: `${because}; A RESCUE SSHD SERVES LOGINS IN ITS PLACE, with the old files, until this host boots: mend the service, then ${back}`,
  };
}

/** The addresses of the service on which no sshd listens that stays; null: there is nothing to rescue. */
async function unserved(
  machine: Machine,
  { plan: { units }, configFile, manager: { listens } }: RescueOrder,
): Promise<readonly Endpoint[] | null> {
  const served: Endpoint[] = [];
  for (const daemon of findDaemons(machine, configFile)) {
    // an sshd of a unit that is not active is one that systemd will end, and perhaps start once more
    const unit = units.find((one) => one === unitOf(machine, daemon.process.pid));
    if (unit === undefined || (await isActive(machine, ["systemctl", "is-active", "--quiet", unit])))
      served.push(...daemon.listens.values());
  }
  const left = listens.filter((endpoint) => !isAmong(served, endpoint));
  return left.length === 0 && served.length > 0 ? null : left;
}

/** Another program that answers there is no rescue. */
function whyNotListening(machine: Machine, configFile: string, wanted: readonly Endpoint[]): string | null {
  const own = findDaemons(machine, configFile).filter(isRescue);
  const listens = own.flatMap((daemon) => [...daemon.listens.values()]);
  if (listens.length === 0) return "it does not listen";
  const lost = wanted.find((endpoint) => !isAmong(listens, endpoint));
  return lost === undefined ? null : `it does not listen on ${printEndpoint(lost)}`;
}

/** As a person types it; null: nobody knows, for its only command is a signal to a process that has ended. */
function startAgain({ units }: RescuePlan, { kind, restart }: RescueOrder["manager"]): string | null {
  const [unit] = units;
  // tried in vain meanwhile, it is kept from a start by how often that was
  if (unit !== undefined) return `systemctl reset-failed ${units.join(" ")}; systemctl start ${unit}`;
  if (restart === null || kind === "foreground") return null;
  return typedCommand({ kind }, restart);
}

/** Gives the command that ends it. */
async function startRescue(
  machine: Machine,
  { command: [program = "", ...options], units }: RescuePlan,
): Promise<string> {
  const own = [program, "-o", RESCUE_MARK, ...options, "-D"];
  if (statusOf(machine, "/run/systemd/system") !== null) {
    // a unit that is tried again and fails would remove the folder of privilege separation
    for (const unit of units) await machine.run(["systemctl", "stop", unit]);
    // nor may it be kept from a start by how often it was tried
    if (units.length > 0) await machine.run(["systemctl", "reset-failed", ...units]);
    const properties = UNIT_PROPERTIES.map((one) => `--property=${one}`);
    const start = ["systemd-run", "--quiet", "--collect", `--unit=${RESCUE_UNIT}`, ...properties, "--"];
    const { status } = await machine.run([...start, ...own]);
    if (status === 0) return `systemctl stop ${RESCUE_UNIT}`;
  }
  return `kill ${machine.startDetached(own)}`;
}
