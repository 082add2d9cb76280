/** sshd under systemd: a service, a socket that starts one, or a socket that starts one for every connection. */
import { changedSince } from "./changed-definition.ts";
import type { Daemon } from "./daemon.ts";
import type { Machine } from "./machine.ts";
import { ASK, type Managed, managed, type Service, STOPPED } from "./managed-service.ts";
import { realPathOf, textOf } from "./processes.ts";
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
  return managed({
    kind: "systemd",
    name: `${unit} (systemd)`,
    restart: ["systemctl", "restart", unit],
    reload: ["systemctl", "reload", unit],
    status: ["systemctl", "is-active", "--quiet", unit],
    killsSessions: await killsSessions(machine, unit),
  });
}

const DEFINITION = "LoadState,NeedDaemonReload,FragmentPath,DropInPaths,EnvironmentFiles,ExecStartPre";

/** Why systemd would not start the unit as it started it before, each with what to do. */
export async function unitObstacles(
  machine: Machine,
  daemon: Daemon,
  unit: string,
): Promise<readonly string[]> {
  const asked = await machine.run(["systemctl", "show", unit, `--property=${DEFINITION}`], QUESTION);
  if (asked.status !== 0)
    return [
      `systemd does not answer (systemctl show ${unit}: ${asked.failed ?? asked.stderr.trim()}): mend that first`,
    ];
  const valuesOf = propertiesIn(asked.stdout);
  const [state = ""] = valuesOf("LoadState");
  if (state !== "loaded") return [`${unit} is ${state}: ${LOADING[state] ?? `see systemctl status ${unit}`}`];
  const restart = `systemctl restart ${unit}`;
  const unread =
    valuesOf("NeedDaemonReload")[0] === "yes"
      ? [
          `systemd has not read yet what was changed of ${unit}: systemctl daemon-reload && ${restart} tries it first`,
        ]
      : [];
  return [
    ...unread,
    ...missingSettings(machine, unit, valuesOf("EnvironmentFiles")),
    ...changedSince(machine, daemon, { paths: definitionFiles(machine, unit, valuesOf), restart }),
    ...(await failedConditions(machine, unit)),
  ];
}

function missingSettings(machine: Machine, unit: string, files: readonly string[]): readonly string[] {
  return files.flatMap((text) => {
    const path = /^(\/[^*?[]*) \(ignore_errors=no\)$/.exec(text)?.[1];
    return path === undefined || machine.realPath(path) !== null
      ? []
      : [`${path}, which ${unit} wants, is not there: make it`];
  });
}

/** What of a unit an administrator edits. */
function definitionFiles(
  machine: Machine,
  unit: string,
  valuesOf: (key: string) => readonly string[],
): readonly string[] {
  const before = valuesOf("ExecStartPre").flatMap((text) => /^\{ path=(\S+) ;/.exec(text)?.[1] ?? []);
  return [
    ...[...valuesOf("FragmentPath"), ...valuesOf("DropInPaths")].flatMap((text) => text.split(" ")),
    ...valuesOf("EnvironmentFiles").map((text) => text.replace(/ \(ignore_errors=\w+\)$/, "")),
    ...before.filter((path) => isScript(machine, path)),
    // a drop-in that was removed
    ...["/etc", "/usr/lib", "/lib"].map((folder) => `${folder}/systemd/system/${unit}.d`),
  ];
}

/** A program such as mkdir comes with the upgrade of a package that starts no sshd anew. */
function isScript(machine: Machine, path: string): boolean {
  return textOf(machine, realPathOf(machine, path) ?? path)?.startsWith("#!") === true;
}

/** What keeps a unit from being loaded, and what to do. */
const LOADING: Readonly<Record<string, string>> = {
  masked: "unmask it first, for systemd would not start it (systemctl unmask)",
  "not-found": "its unit file is gone, install it again",
};

/** ConditionPathExists=!/etc/ssh/sshd_not_to_be_run: such a start does nothing, and is told as a success. */
async function failedConditions(machine: Machine, unit: string): Promise<readonly string[]> {
  // before systemd 250 it takes no unit, and says that
  const { stdout, stderr } = await machine.run(["systemd-analyze", "condition", `--unit=${unit}`], QUESTION);
  const lines = `${stdout}\n${stderr}`.split("\n");
  // of those with | one is enough (systemd.unit(5))
  if (!lines.some((line) => /^(?:Conditions|Asserts) failed\.$/.test(line))) return [];
  return lines.flatMap((line) => {
    const condition = /^\S+: ((?:Condition|Assert)\w+=.*) failed\.$/.exec(line)?.[1];
    return condition === undefined
      ? []
      : [`systemd would not start ${unit}: its ${condition} does not hold; mend what it asks for`];
  });
}

/** "Key=value" lines of systemctl show: all values of a key. */
function propertiesIn(stdout: string): (key: string) => readonly string[] {
  const lines = stdout.split("\n");
  return (key) =>
    lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
}

/** systemd holds the listening sockets and starts one sshd for all connections at the first (Accept=no). */
async function viaSocket(machine: Machine, { name, triggers, listens }: Socket): Promise<Managed> {
  const kills = await killsSessions(machine, triggers);
  return managed({
    kind: "systemd-socket",
    name: `${triggers} behind ${name} (systemd)`,
    listens,
    restart: ["systemctl", "try-restart", triggers],
    // Debian's 10.0 ends at SIGHUP here ("Cannot bind any address"); a restart closes no socket either
    reload: ["systemctl", kills ? "try-reload-or-restart" : "try-restart", triggers],
    status: ["systemctl", "is-active", "--quiet", name],
    killsSessions: kills,
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
async function killsSessions(machine: Machine, unit: string): Promise<boolean> {
  const { stdout } = await machine.run(["systemctl", "show", unit, "--property=KillMode"], QUESTION);
  return /^KillMode=(?:control-group|mixed)$/m.test(stdout);
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
    const valuesOf = propertiesIn((await machine.run(command, QUESTION)).stdout);
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
