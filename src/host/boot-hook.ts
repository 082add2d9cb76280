/**
 * What undoes an unconfirmed fix when the host boots, before its sshd starts: a unit of systemd, or a script of OpenRC,
 * SysV or runit. It is there only while a fix waits.
 */
import { folderOf } from "../files/path.ts";
import type { Machine } from "./machine.ts";
import { statusOf, textOf } from "./processes.ts";

export interface BootHook {
  /** the file that is written; it must be readable, and a script executable, for all */
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  readonly enable: readonly string[] | null;
  /** where enabling it makes a link; null: nowhere */
  readonly links: string | null;
  readonly disable: readonly string[] | null;
}

const NAME = "sshd-policy-undo";
const TITLE = "Undo a change of sshd_config that nobody confirmed";

/** Null: nothing here runs before sshd at a boot, as in a container. */
export function bootHook(machine: Machine, command: readonly string[]): BootHook | null {
  const first = textOf(machine, "/proc/1/comm")?.trim();
  if (statusOf(machine, "/run/systemd/system") !== null) return systemdUnit(command);
  if (statusOf(machine, "/run/openrc/softlevel") !== null) return openrcScript(command);
  if (first === "runit" && statusOf(machine, "/etc/runit/core-services") !== null) return voidScript(command);
  return first === "init" || first === "runit" ? lsbScript(machine, command) : null;
}

/** @throws as node:fs does, or when the init system refuses: then nothing is left behind */
export async function installHook(machine: Machine, hook: BootHook): Promise<void> {
  machine.unlink(hook.path);
  machine.create(hook.path);
  machine.write(hook.path, Buffer.from(hook.text, "latin1"));
  machine.setOwnerAndMode(hook.path, { uid: 0, gid: 0, mode: hook.mode });
  machine.sync(hook.path);
  machine.sync(folderOf(hook.path));
  if (hook.enable === null) return;
  const { status, stderr, failed } = await machine.run(hook.enable);
  if (status === 0) {
    syncLinks(machine, hook);
    return;
  }
  await removeHook(machine, hook);
  throw new Error(`"${hook.enable.join(" ")}" failed: ${failed ?? stderr.split("\n", 1)[0] ?? ""}`);
}

/** Who enables it syncs nothing: after a power cut the file would be there, and nothing would run it. */
function syncLinks(machine: Machine, { links }: BootHook): void {
  if (links === null) return;
  for (const folder of [links, folderOf(links)]) if (statusOf(machine, folder) !== null) machine.sync(folder);
}

/** One that is not there is no error. */
export async function removeHook(machine: Machine, hook: BootHook): Promise<void> {
  if (statusOf(machine, hook.path) === null) return;
  // update-rc.d forgets only a script that is gone; the others must still find it
  const removesFirst = hook.disable?.[0] === "update-rc.d";
  if (removesFirst) machine.unlink(hook.path);
  if (hook.disable !== null) await machine.run(hook.disable);
  machine.unlink(hook.path);
  machine.sync(folderOf(hook.path));
}

/** Before sockets.target, which a socket for sshd belongs to: so without the default dependencies, which come after. */
function systemdUnit(command: readonly string[]): BootHook {
  return {
    path: `/etc/systemd/system/${NAME}.service`,
    mode: 0o644,
    enable: ["systemctl", "enable", `${NAME}.service`],
    links: "/etc/systemd/system/sysinit.target.wants",
    disable: ["systemctl", "disable", `${NAME}.service`],
    text: `[Unit]
Description=${TITLE}
DefaultDependencies=no
RequiresMountsFor=/etc/ssh /var/lib/sshd-policy
After=local-fs.target
Before=ssh.service sshd.service ssh.socket sshd.socket sysinit.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=${command.map(systemdQuoted).join(" ")}
TimeoutStartSec=60

[Install]
WantedBy=sysinit.target
`,
  };
}

/** systemd.service(5), "Command lines": C escapes inside quotes, and % and $ doubled. */
function systemdQuoted(word: string): string {
  const escaped = word.replaceAll(/["\\]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$");
  return `"${escaped}"`;
}

/** "after": Debian's OpenRC has no localmount, and there it would not start for need of it. */
function openrcScript(command: readonly string[]): BootHook {
  return {
    path: `/etc/init.d/${NAME}`,
    mode: 0o755,
    enable: ["rc-update", "add", NAME, "default"],
    links: "/etc/runlevels/default",
    disable: ["rc-update", "del", NAME, "default"],
    text: `#!/sbin/openrc-run
description="${TITLE}"
depend() {
	after localmount
	before ssh sshd
}
start() {
	${command.map(shellQuoted).join(" ")}
	return 0
}
`,
  };
}

/** Void Linux reads these files in its first stage, before any service. */
function voidScript(command: readonly string[]): BootHook {
  return {
    path: `/etc/runit/core-services/98-${NAME}.sh`,
    mode: 0o644,
    enable: null,
    links: null,
    disable: null,
    text: `# ${TITLE}\n${command.map(shellQuoted).join(" ")} || true\n`,
  };
}

/** Debian's runit runs the scripts of /etc/rcS.d, too, before its own services. */
function lsbScript(machine: Machine, command: readonly string[]): BootHook {
  const isDebian = statusOf(machine, "/usr/sbin/update-rc.d") !== null;
  return {
    path: `/etc/init.d/${NAME}`,
    mode: 0o755,
    enable: isDebian ? ["update-rc.d", NAME, "defaults"] : ["chkconfig", "--add", NAME],
    links: isDebian ? "/etc/rcS.d" : "/etc/rc.d/rcS.d",
    disable: isDebian ? ["update-rc.d", NAME, "remove"] : ["chkconfig", "--del", NAME],
    text: `#!/bin/sh
### BEGIN INIT INFO
# Provides:          ${NAME}
# Required-Start:    $local_fs
# Required-Stop:
# X-Start-Before:    ssh sshd
# Default-Start:     S
# Default-Stop:
# Short-Description: ${TITLE}
### END INIT INFO
case "$1" in
start) ${command.map(shellQuoted).join(" ")} || true ;;
esac
`,
  };
}

function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
