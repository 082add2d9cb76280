/**
 * How sshd runs on this machine, and with which command its service manager restarts it. The running process says it:
 * its cgroup names a systemd unit, its parent a supervisor; only what has no process is asked of the manager.
 */
import { testArguments } from "./command-line.ts";
import { type Daemon, findDaemons } from "./daemon.ts";
import { foreground, foreignSystem, openrc, supervised, sysv } from "./init-systems.ts";
import type { Machine } from "./machine.ts";
import { type Command, type Managed, managed, type Service, STOPPED } from "./managed-service.ts";
import { statusOf } from "./processes.ts";
import type { Endpoint } from "./sockets.ts";
import { onSystemd } from "./systemd.ts";

export type { Service };

export interface ServiceQuestion {
  /** the main configuration file of the sshd that is looked for */
  readonly configFile: string;
  /** the owner's own command; it is run by /bin/sh */
  readonly restartCommand: string | null;
}

export async function findService(machine: Machine, question: ServiceQuestion): Promise<Service> {
  const [daemon = null, ...others] = findDaemons(machine, question.configFile);
  const found = await recognise(machine, daemon, question);
  return {
    ...found,
    daemon,
    others,
    listens: daemon === null ? found.listens : [...daemon.listens.values()],
  };
}

async function recognise(
  machine: Machine,
  daemon: Daemon | null,
  { restartCommand, configFile }: ServiceQuestion,
): Promise<Managed> {
  if (restartCommand !== null) return given(machine, restartCommand, configFile);
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
  const listens = machine.self.platform === "linux" ? [] : await configuredListens(machine, configFile);
  return managed({ kind: "given", name, restart: command, reload: command, listens });
}

/** Where no process can be looked at, the configuration says on which addresses sshd must answer. */
async function configuredListens(machine: Machine, configFile: string): Promise<readonly Endpoint[]> {
  const program = installedProgram(machine);
  if (program === null) return [];
  const anybody = "user=root,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22";
  const { stdout } = await machine.run([program, "-T", "-f", configFile, "-C", anybody]);
  return stdout.split("\n").flatMap((line) => {
    const match = /^listenaddress \[?([0-9a-f.:]+?)\]?:(\d+)$/i.exec(line);
    return match === null ? [] : [{ address: match[1] ?? "", port: Number(match[2]) }];
  });
}

const PROGRAMS = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"] as const;

/** What a service definition says where no process tells: texts of -o, and what -f names. */
export interface Definition {
  readonly options: readonly string[];
  readonly configFile: string | null;
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
  if (program === null) return null;
  const file = start.configFile === null ? [] : ["-f", start.configFile];
  return { program, options: [...file, ...start.options.flatMap((option) => ["-o", option])] };
}
