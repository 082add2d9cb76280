/**
 * How sshd runs on this machine, and with which command its service manager restarts it. The running process says it:
 * its cgroup names a systemd unit, its parent a supervisor; only what has no process is asked of the manager.
 */
import { type Option, testArguments } from "./command-line.ts";
import { type Daemon, findDaemons } from "./daemon.ts";
import type { Machine } from "./machine.ts";
import { ancestors, linkOf, listProcesses, type Process, statusOf, textOf } from "./processes.ts";
import type { Endpoint } from "./sockets.ts";

export type ManagerKind =
  | "systemd"
  | "systemd-socket"
  | "systemd-instances"
  | "openrc"
  | "runit"
  | "sysv"
  | "foreground"
  | "given"
  | "stopped"
  | "unknown";

/** argv of a command. */
export type Command = readonly string[];

export interface Service {
  readonly kind: ManagerKind;
  /** "ssh.service (systemd)": for people */
  readonly name: string;
  /** the listening sshd; null where none runs now */
  readonly daemon: Daemon | null;
  /** where connections are accepted, by the daemon or by systemd for it */
  readonly listens: readonly Endpoint[];
  /** further sshds that listen with the same configuration, which nothing here restarts */
  readonly others: readonly Daemon[];
  /** null: nothing is to be run, or (unknown) nothing is known */
  readonly restart: Command | null;
  readonly reload: Command | null;
  /** exit code 0 while the service is active; null: only the process tells */
  readonly status: Command | null;
  /** what the owner must do or know; null: nothing */
  readonly advice: string | null;
}

export interface ServiceQuestion {
  /** the main configuration file of the sshd that is looked for */
  readonly configFile: string;
  /** the owner's own command; it is run by /bin/sh */
  readonly restartCommand: string | null;
}

type Found = Omit<Service, "daemon" | "others">;

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
  { restartCommand }: ServiceQuestion,
): Promise<Found> {
  if (restartCommand !== null) return given(restartCommand);
  const elsewhere = foreignSystem(machine);
  if (elsewhere !== null) return elsewhere;
  if (statusOf(machine, "/run/systemd/system") !== null) return onSystemd(machine, daemon);
  if (daemon === null) return STOPPED;
  return (
    supervised(machine, daemon) ?? openrc(machine) ?? sysv(machine, daemon) ?? foreground(machine, daemon)
  );
}

function given(text: string): Found {
  const command: Command = ["/bin/sh", "-c", text];
  return plain({ kind: "given", name: `"${text}" (--restart-command)`, restart: command, reload: command });
}

function plain(found: Partial<Found> & Pick<Found, "kind" | "name">): Found {
  return { restart: null, reload: null, status: null, advice: null, listens: [], ...found };
}

const ASK = "give its restart command with --restart-command";

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

/** How the sshd that listens, or would be started, is run again to test a configuration. Null: none is installed. */
export function commandLine(machine: Machine, { daemon }: Service, start: Definition): TestCommand | null {
  if (daemon !== null) return { program: daemon.program, options: testArguments(daemon.options) };
  const program = PROGRAMS.find((path) => statusOf(machine, path) !== null);
  if (program === undefined) return null;
  const file = start.configFile === null ? [] : ["-f", start.configFile];
  return { program, options: [...file, ...start.options.flatMap((option) => ["-o", option])] };
}

/** Systems whose process table we cannot read. */
function foreignSystem(machine: Machine): Found | null {
  if (machine.self.platform === "darwin")
    return plain({
      kind: "unknown",
      name: "launchd",
      advice: `${ASK} 'launchctl kickstart -k system/com.openssh.sshd'`,
    });
  if (machine.self.platform === "freebsd")
    return plain({ kind: "unknown", name: "rc.d", advice: `${ASK} 'service sshd restart'` });
  return machine.self.platform === "linux"
    ? null
    : plain({ kind: "unknown", name: machine.self.platform, advice: ASK });
}

const STOPPED: Found = plain({
  kind: "stopped",
  name: "sshd",
  advice: "no sshd that reads these files is running: they count from its next start",
});

/** sd_booted(3) asks for /run/systemd/system, too. */
async function onSystemd(machine: Machine, daemon: Daemon | null): Promise<Found> {
  const unit = daemon === null ? null : unitOf(machine, daemon.process);
  if (unit !== null && /\.service$/.test(unit) && !/^(?:user@|session-)/.test(unit)) {
    const socket = await activeSocket(machine);
    return socket !== null && socket.triggers === unit ? viaSocket(socket) : systemdUnit(unit);
  }
  if (daemon !== null)
    return plain({
      kind: "unknown",
      name: `process ${daemon.process.pid}`,
      advice: `no unit of systemd started it: ${ASK}`,
    });
  const socket = await activeSocket(machine);
  if (socket === null) return STOPPED;
  return socket.accepts ? instances(socket) : viaSocket(socket);
}

function systemdUnit(unit: string): Found {
  return plain({
    kind: "systemd",
    name: `${unit} (systemd)`,
    restart: ["systemctl", "restart", unit],
    reload: ["systemctl", "reload", unit],
    status: ["systemctl", "is-active", "--quiet", unit],
  });
}

/** systemd holds the listening sockets and starts one sshd for all connections at the first (Accept=no). */
function viaSocket({ name, triggers, listens }: Socket): Found {
  return plain({
    kind: "systemd-socket",
    name: `${triggers} behind ${name} (systemd)`,
    listens,
    restart: ["systemctl", "try-restart", triggers],
    reload: ["systemctl", "try-reload-or-restart", triggers],
    status: ["systemctl", "is-active", "--quiet", name],
  });
}

/** A new `sshd -i` for every connection (Accept=yes): each reads the files anew. */
function instances({ name, listens }: Socket): Found {
  return plain({
    kind: "systemd-instances",
    name: `instances of ${name} (systemd)`,
    listens,
    status: ["systemctl", "is-active", "--quiet", name],
    advice: "every connection starts its own sshd, which reads the new files: nothing is to restart",
  });
}

interface Socket {
  readonly name: string;
  readonly accepts: boolean;
  /** the service it starts */
  readonly triggers: string;
  readonly listens: readonly Endpoint[];
}

async function activeSocket(machine: Machine): Promise<Socket | null> {
  for (const name of ["ssh.socket", "sshd.socket"]) {
    const command = ["systemctl", "show", name, "--property=ActiveState,Accept,Triggers,Listen"] as const;
    const lines = (await machine.run(command, QUESTION)).stdout.split("\n");
    const valuesOf = (key: string): string[] =>
      lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
    if (valuesOf("ActiveState")[0] !== "active") continue;
    const triggered = (valuesOf("Triggers")[0] ?? "").split(" ").find((unit) => unit !== "");
    return {
      name,
      accepts: valuesOf("Accept")[0] === "yes",
      triggers: triggered ?? name.replace(/socket$/, "service"),
      listens: valuesOf("Listen").flatMap(readListen),
    };
  }
  return null;
}

/** "[::]:22 (Stream)", "192.0.2.1:22 (Stream)"; sockets of the file system hold no port. */
function readListen(text: string): readonly Endpoint[] {
  const match = /^\[?([0-9a-f:.]+)\]?:(\d+) \(Stream\)$/.exec(text);
  return match === null ? [] : [{ address: match[1] ?? "", port: Number(match[2]) }];
}

/** A manager that does not answer a question in this time is not asked again. */
const QUESTION = { timeoutMs: 10_000 } as const;

/** "0::/system.slice/ssh.service", "1:name=systemd:/system.slice/ssh.service" (cgroups(7)). */
function unitOf(machine: Machine, { pid }: Process): string | null {
  const lines = (textOf(machine, `/proc/${pid}/cgroup`) ?? "").split("\n");
  const line =
    lines.find((text) => text.includes(":name=systemd:")) ?? lines.find((text) => text.startsWith("0::"));
  return line?.split("/").find((part) => part.endsWith(".service")) ?? null;
}

function supervised(machine: Machine, { process }: Daemon): Found | null {
  const [, parent] = ancestors(listProcesses(machine), process.pid);
  if (parent?.name === "s6-supervise")
    return plain({
      kind: "unknown",
      name: "s6",
      advice: `${ASK} 's6-svc -r ${linkOf(machine, `/proc/${parent.pid}/cwd`) ?? "/run/service/sshd"}'`,
    });
  if (parent?.name !== "runsv") return null;
  // runsv(8) works in the folder of its service
  const folder = linkOf(machine, `/proc/${parent.pid}/cwd`) ?? "";
  return plain({
    kind: "runit",
    name: `${folder} (runit)`,
    restart: ["sv", "-w", "30", "restart", folder],
    reload: ["sv", "hup", folder],
    status: ["sv", "check", folder],
  });
}

const SCRIPTS = ["ssh", "sshd"] as const;

function openrc(machine: Machine): Found | null {
  if (statusOf(machine, "/run/openrc/softlevel") === null) return null;
  const script = SCRIPTS.find((name) => statusOf(machine, `/run/openrc/started/${name}`) !== null);
  if (script === undefined) return null;
  return plain({
    kind: "openrc",
    name: `${script} (OpenRC)`,
    restart: ["rc-service", script, "restart"],
    reload: ["rc-service", script, "reload"],
    status: ["rc-service", script, "status"],
  });
}

/** An sshd that put itself into the background, as init scripts start it. */
function sysv(machine: Machine, { process, options }: Daemon): Found | null {
  const script = SCRIPTS.find((name) => statusOf(machine, `/etc/init.d/${name}`) !== null);
  if (script === undefined || process.pid === 1 || isForeground(options)) return null;
  const path = `/etc/init.d/${script}`;
  const program = ["/usr/sbin/service", "/sbin/service"].find((name) => statusOf(machine, name) !== null);
  const call = (verb: string): Command => (program === undefined ? [path, verb] : [program, script, verb]);
  return plain({
    kind: "sysv",
    name: `${path} (SysV)`,
    restart: call("restart"),
    reload: call("reload"),
    status: call("status"),
  });
}

function isForeground(options: readonly Option[]): boolean {
  return options.some(({ letter }) => letter === "D" || letter === "d");
}

/** A container's sshd, alone or under an entry point: it has no manager, and ending it would end the container. */
function foreground(machine: Machine, { process, options }: Daemon): Found {
  if (!isForeground(options) && textOf(machine, "/proc/1/comm")?.trim() === "init")
    return plain({
      kind: "unknown",
      name: `process ${process.pid}`,
      advice: `no service manager knows it: ${ASK}`,
    });
  const hangUp: Command = ["kill", "-HUP", String(process.pid)];
  return plain({
    kind: "foreground",
    name: `process ${process.pid} in the foreground`,
    restart: hangUp,
    reload: hangUp,
    advice: "it has no service manager: SIGHUP makes it read its files again and keeps it running",
  });
}
