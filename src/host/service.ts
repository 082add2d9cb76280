/**
 * How sshd runs on this machine, and with which command its service manager restarts it. The running process says it:
 * its cgroup names a systemd unit, its parent a supervisor; only what has no process is asked of the manager.
 */
import { testArguments } from "./command-line.ts";
import { type Daemon, findDaemons, isSameDaemon } from "./daemon.ts";
import { foreground, foreignSystem, openrc, supervised, sysv } from "./init-systems.ts";
import type { Machine } from "./machine.ts";
import { type Command, type Managed, managed, type Service, STOPPED } from "./managed-service.ts";
import { statusOf, textOf } from "./processes.ts";
import type { Endpoint } from "./sockets.ts";
import { isUnit, onSystemd, unitOf } from "./systemd.ts";

export type { Service };

export interface ServiceQuestion {
  /** the main configuration file of the sshd that is looked for */
  readonly configFile: string;
  /** the owner's own command; it is run by /bin/sh */
  readonly restartCommand: string | null;
}

/** `beside`: sshds with the same configuration that are known to be others than the one that is asked for. */
export async function findService(
  machine: Machine,
  question: ServiceQuestion,
  beside: readonly Daemon[] = [],
): Promise<Service> {
  const all = findDaemons(machine, question.configFile);
  const isBeside = (daemon: Daemon): boolean => beside.some((other) => isSameDaemon(daemon, other));
  const daemon = managedFirst(
    machine,
    all.filter((one) => !isBeside(one)),
  );
  const others = all.filter((one) => one !== daemon);
  const { restartCommand, configFile } = question;
  const found =
    restartCommand === null
      ? await recognise(machine, daemon)
      : await given(machine, restartCommand, configFile);
  return {
    ...found,
    daemon,
    others,
    listens: daemon === null ? found.listens : [...daemon.listens.values()],
  };
}

/** The one that a service manager started, or that the pid file names; one that was started by hand comes last. */
function managedFirst(machine: Machine, daemons: readonly Daemon[]): Daemon | null {
  if (daemons.length < 2) return daemons[0] ?? null;
  const rank = (daemon: Daemon): number =>
    isUnit(unitOf(machine, daemon.process.pid)) || supervised(machine, daemon) !== null
      ? 0
      : textOf(machine, "/run/sshd.pid")?.trim() === String(daemon.process.pid)
        ? 1
        : 2;
  const [first = null] = [...daemons].sort(
    (a, b) => rank(a) - rank(b) || a.process.started - b.process.started,
  );
  return first;
}

/** What manages it, whoever gives the command to restart it. */
export async function recognise(machine: Machine, daemon: Daemon | null): Promise<Managed> {
  const elsewhere = foreignSystem(machine);
  if (elsewhere !== null) return elsewhere;
  if (statusOf(machine, "/run/systemd/system") !== null) return onSystemd(machine, daemon);
  if (daemon === null) return STOPPED;
  return (
    supervised(machine, daemon) ?? openrc(machine) ?? sysv(machine, daemon) ?? foreground(machine, daemon)
  );
}

async function given(machine: Machine, text: string, configFile: string): Promise<Managed> {
  const command: Command = ["/bin/sh", "-c", text];
  const name = `"${text}" (--restart-command)`;
  const program = installedProgram(machine);
  // where no process can be looked at, the configuration says on which addresses sshd must answer
  const isUnseen = machine.self.platform !== "linux" && program !== null;
  const listens = isUnseen ? await configuredListens(machine, { program, options: ["-f", configFile] }) : [];
  return managed({ kind: "given", name, restart: command, reload: command, listens: listens ?? [] });
}

/** On which addresses an sshd that starts now would listen, as it says itself; null: it says nothing. */
export async function configuredListens(
  machine: Machine,
  { program, options }: TestCommand,
): Promise<readonly Endpoint[] | null> {
  const anybody = "user=root,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22";
  const { status, stdout } = await machine.run([program, "-T", ...options, "-C", anybody], {
    timeoutMs: 10_000,
  });
  if (status !== 0) return null;
  return stdout.split("\n").flatMap((line) => {
    const match = /^listenaddress \[?([0-9a-f.:]+?)(?:%[^\]]*)?\]?:(\d+)(?: rdomain .*)?$/i.exec(line);
    return match === null ? [] : [{ address: match[1] ?? "", port: Number(match[2]) }];
  });
}

const PROGRAMS = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"] as const;

/** What a service definition says where no process tells: texts of -o, and what -f names. */
export interface Definition {
  readonly options: readonly string[];
  readonly configFile: string | null;
  /** why it may say more than this; null: it does not */
  readonly limit: string | null;
}

export interface TestCommand {
  readonly program: string;
  /** what stands before -t or -T */
  readonly options: readonly string[];
}

function installedProgram(machine: Machine): string | null {
  return PROGRAMS.find((path) => statusOf(machine, path) !== null) ?? null;
}

/** How the sshd that listens, or would be started, is run again to test a configuration. Null: none is installed. */
export function commandLine(machine: Machine, { daemon }: Service, start: Definition): TestCommand | null {
  if (daemon !== null) return { program: daemon.program, options: testArguments(daemon.options) };
  const program = installedProgram(machine);
  return program === null ? null : startCommand(program, start);
}

/** As the service's definition starts it. */
export function startCommand(program: string, start: Definition): TestCommand {
  const file = start.configFile === null ? [] : ["-f", start.configFile];
  return { program, options: [...file, ...start.options.flatMap((option) => ["-o", option])] };
}
