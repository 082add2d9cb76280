/** sshd under systemd: a service, a socket that starts one, or a socket that starts one for every connection. */
import type { Daemon } from "./daemon.ts";
import type { Machine } from "./machine.ts";
import { ASK, type Managed, managed, type Service, STOPPED } from "./managed-service.ts";
import { startTime, textOf } from "./processes.ts";
import type { Session } from "./sessions.ts";
import type { Endpoint } from "./sockets.ts";

/** sd_booted(3) asks for /run/systemd/system, too. */
export async function onSystemd(machine: Machine, daemon: Daemon | null): Promise<Managed> {
  const unit = daemon === null ? null : unitOf(machine, daemon.process.pid);
  if (isUnit(unit)) {
    const socket = await activeSocket(machine);
    return socket !== null && socket.triggers === unit
      ? viaSocket(machine, socket)
      : systemdUnit(machine, unit);
  }
  if (daemon !== null)
    return managed({
      kind: "unknown",
      name: `process ${daemon.process.pid}`,
      advice: `no unit of systemd started it: ${ASK}`,
    });
  const socket = await activeSocket(machine);
  if (socket === null) return STOPPED;
  return socket.accepts ? instances(socket) : viaSocket(machine, socket);
}

/** A service that systemd itself can restart, not what a login started. */
export function isUnit(unit: string | null): unit is string {
  return unit !== null && /\.service$/.test(unit) && !/^(?:user@|session-)/.test(unit);
}

async function systemdUnit(machine: Machine, unit: string): Promise<Managed> {
  const { isMasked, killsSessions } = await askUnit(machine, unit);
  if (isMasked)
    return managed({
      kind: "unknown",
      name: `${unit} (systemd)`,
      advice: `it is masked, so systemd would not start it again: systemctl unmask ${unit}`,
    });
  return managed({
    kind: "systemd",
    name: `${unit} (systemd)`,
    restart: ["systemctl", "restart", unit],
    reload: ["systemctl", "reload", unit],
    status: ["systemctl", "is-active", "--quiet", unit],
    killsSessions,
  });
}

/** What of a unit's definition, as systemd has loaded it, is newer than the process that it started. */
export async function newerDefinition(
  machine: Machine,
  { process }: Daemon,
  unit: string,
): Promise<string | null> {
  const { stdout } = await machine.run(
    ["systemctl", "show", unit, "--property=FragmentPath,DropInPaths"],
    QUESTION,
  );
  const paths = stdout.split("\n").flatMap((line) => line.slice(line.indexOf("=") + 1).split(" "));
  const started = startTime(machine, process) + START_SLACK_MS;
  const now = machine.now().getTime();
  return (
    paths.find((path) => {
      // generators write theirs anew at each daemon-reload
      const isWritten = path.startsWith("/") && !path.startsWith("/run/");
      const written = isWritten ? (machine.status(path)?.modifiedMs ?? null) : null;
      // a time that is still to come says nothing: the clock was set back
      return written !== null && written > started && written <= now;
    }) ?? null
  );
}

/** The kernel counts a start in hundredths, and the clock of files lags behind. */
const START_SLACK_MS = 1000;

/** systemd holds the listening sockets and starts one sshd for all connections at the first (Accept=no). */
async function viaSocket(machine: Machine, { name, triggers, listens }: Socket): Promise<Managed> {
  return managed({
    kind: "systemd-socket",
    name: `${triggers} behind ${name} (systemd)`,
    listens,
    restart: ["systemctl", "try-restart", triggers],
    reload: ["systemctl", "try-reload-or-restart", triggers],
    status: ["systemctl", "is-active", "--quiet", name],
    killsSessions: (await askUnit(machine, triggers)).killsSessions,
  });
}

/** A new `sshd -i` for every connection (Accept=yes): each reads the files anew. */
function instances({ name, listens }: Socket): Managed {
  return managed({
    kind: "systemd-instances",
    name: `instances of ${name} (systemd)`,
    listens,
    status: ["systemctl", "is-active", "--quiet", name],
    advice: "every connection starts its own sshd, which reads the new files: nothing is to restart",
  });
}

/** systemd.kill(5): distributions set KillMode=process for sshd, but the default is all processes of the cgroup. */
async function askUnit(
  machine: Machine,
  unit: string,
): Promise<{ readonly isMasked: boolean; readonly killsSessions: boolean }> {
  const { stdout } = await machine.run(
    ["systemctl", "show", unit, "--property=KillMode,LoadState"],
    QUESTION,
  );
  return {
    isMasked: /^LoadState=masked$/m.test(stdout),
    killsSessions: /^KillMode=(?:control-group|mixed)$/m.test(stdout),
  };
}

/** The sessions that a restart would end. Where PAM gives each a scope of its own, there are none. */
export function endangeredSessions(
  machine: Machine,
  { killsSessions, daemon }: Pick<Service, "killsSessions" | "daemon">,
  sessions: readonly Session[],
): readonly Session[] {
  if (!killsSessions || daemon === null) return [];
  const unit = unitOf(machine, daemon.process.pid);
  return sessions.filter(({ pid }) => unitOf(machine, pid) === unit);
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
export function unitOf(machine: Machine, pid: number): string | null {
  const lines = (textOf(machine, `/proc/${pid}/cgroup`) ?? "").split("\n");
  const line =
    lines.find((text) => text.includes(":name=systemd:")) ?? lines.find((text) => text.startsWith("0::"));
  return line?.split("/").find((part) => part.endsWith(".service")) ?? null;
}
