/** sshd under everything but systemd: supervisors, init scripts, containers, and systems whose processes we cannot see. */
import { changedSince } from "./changed-definition.ts";
import type { Option } from "./command-line.ts";
import type { Daemon } from "./daemon.ts";
import type { Machine } from "./machine.ts";
import { ASK, type Command, type Managed, managed } from "./managed-service.ts";
import { ancestors, linkOf, listProcesses, statusOf, textOf } from "./processes.ts";

/** Systems whose process table we cannot read. */
export function foreignSystem(machine: Machine): Managed | null {
  if (machine.self.platform === "darwin")
    return managed({
      kind: "unknown",
      name: "launchd",
      advice: `${ASK} 'launchctl kickstart -k system/com.openssh.sshd'`,
    });
  if (machine.self.platform === "freebsd")
    return managed({ kind: "unknown", name: "rc.d", advice: `${ASK} 'service sshd restart'` });
  return machine.self.platform === "linux"
    ? null
    : managed({ kind: "unknown", name: machine.self.platform, advice: ASK });
}

export function supervised(machine: Machine, { process }: Daemon): Managed | null {
  const [, parent] = ancestors(listProcesses(machine), process.pid);
  if (parent?.name === "s6-supervise")
    return managed({
      kind: "unknown",
      name: "s6",
      advice: `${ASK} 's6-svc -r ${linkOf(machine, `/proc/${parent.pid}/cwd`) ?? "/run/service/sshd"}'`,
    });
  if (parent?.name !== "runsv") return null;
  // runsv(8) works in the folder of its service
  const folder = linkOf(machine, `/proc/${parent.pid}/cwd`) ?? "";
  return managed({
    kind: "runit",
    name: `${folder} (runit)`,
    // sshd stops and starts at once: nobody is let in while a failing start is waited for
    restart: ["sv", "-w", "10", "restart", folder],
    reload: ["sv", "hup", folder],
    status: ["sv", "check", folder],
  });
}

const SCRIPTS = ["ssh", "sshd"] as const;

export function openrc(machine: Machine): Managed | null {
  if (statusOf(machine, "/run/openrc/softlevel") === null) return null;
  const script = SCRIPTS.find((name) => statusOf(machine, `/run/openrc/started/${name}`) !== null);
  if (script === undefined) return null;
  return managed({
    kind: "openrc",
    name: `${script} (OpenRC)`,
    restart: ["rc-service", script, "restart"],
    reload: ["rc-service", script, "reload"],
    status: ["rc-service", script, "status"],
  });
}

/** An sshd that put itself into the background, as init scripts start it. */
export function sysv(machine: Machine, { process, options }: Daemon): Managed | null {
  const script = SCRIPTS.find((name) => statusOf(machine, `/etc/init.d/${name}`) !== null);
  if (script === undefined || process.pid === 1 || isForeground(options)) return null;
  const path = `/etc/init.d/${script}`;
  const program = ["/usr/sbin/service", "/sbin/service"].find((name) => statusOf(machine, name) !== null);
  const call = (verb: string): Command => (program === undefined ? [path, verb] : [program, script, verb]);
  return managed({
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
export function foreground(machine: Machine, { process, options }: Daemon): Managed {
  if (!isForeground(options) && textOf(machine, "/proc/1/comm")?.trim() === "init")
    return managed({
      kind: "unknown",
      name: `process ${process.pid}`,
      advice: `no service manager knows it: ${ASK}`,
    });
  const hangUp: Command = ["kill", "-HUP", String(process.pid)];
  return managed({
    kind: "foreground",
    name: `process ${process.pid} in the foreground`,
    restart: hangUp,
    reload: hangUp,
    advice: "it has no service manager: SIGHUP makes it read its files again and keeps it running",
  });
}

const SETTINGS = ["init.d", "default", "conf.d", "sysconfig"].flatMap((folder) =>
  SCRIPTS.map((name) => `/etc/${folder}/${name}`),
);

/** Debian's scripts and runit's run end where it is there, with success, and start nothing. */
const NOT_TO_BE_RUN = "/etc/ssh/sshd_not_to_be_run";

/** Why the script of an init system would not start sshd as it did before, each with what to do. */
export function scriptObstacles(
  machine: Machine,
  daemon: Daemon,
  { kind, restart }: Pick<Managed, "kind" | "restart">,
): readonly string[] {
  if (kind !== "sysv" && kind !== "openrc" && kind !== "runit") return [];
  const folder = kind === "runit" ? (restart?.at(-1) ?? "") : null;
  const scripts = folder === null ? [] : ["run", "finish", "conf"].map((name) => `${folder}/${name}`);
  const stopper =
    statusOf(machine, NOT_TO_BE_RUN) === null
      ? []
      : [`${NOT_TO_BE_RUN} keeps its script from starting it: remove that file`];
  const paths = [...scripts, ...SETTINGS];
  return [...stopper, ...changedSince(machine, daemon, { paths, restart: (restart ?? []).join(" ") })];
}
