/** What the programs that scripts call have to do with starting sshd. */

/** By its own name or a build's: Alpine's sshd.pam and sshd.krb5, sshd-10.0. */
export function isSshd(word: string): boolean {
  return (
    /(?:^|\/)sshd(?:\.(?!(?:sh|conf|service|socket|pid|log|py)$)\w+|-\d[\w.]*)?$/.test(word) &&
    !/^\/(?:run|var|etc|dev)\//.test(word)
  );
}

/** Of other languages than a shell's. */
export const INTERPRETERS: RegExp = /^(?:python|perl|ruby|node|nodejs|php|lua|tclsh)[\d.]*$/;

/** Those that run another program with the words behind their own options. */
export const LAUNCHERS: ReadonlySet<string> = new Set(
  [
    "tini tini-static dumb-init docker-init catatonit env nice ionice nohup setsid sudo doas su-exec gosu chpst softlimit",
    "numactl taskset timeout daemon daemonize runuser setpriv capsh unshare chroot command builtin stdbuf chrt strace",
    "s6-setuidgid s6-envdir cgexec busybox with-contenv startproc time",
  ].flatMap((names) => names.split(" ")),
);

/** Those that give a text behind -c to a shell. */
export const WITH_TEXT: ReadonlySet<string> = new Set("su runuser sg script flock".split(" "));

export const SHELLS: RegExp = /^(?:ba|da|a|k|z)?sh$/;

/** What starts the services of a system, each as its own files say. */
export const SERVICE_MANAGERS: ReadonlySet<string> = new Set(
  "init systemd openrc openrc-init runit runit-init".split(" "),
);

/** They start what files of their own say, which are not read. */
export const SUPERVISORS: ReadonlySet<string> = new Set(
  "supervisord s6-svscan s6-overlay-suexec s6-linux-init s6-rc-init runsvdir monit circusd pm2 inetd xinetd tcpserver tcpsvd socat".split(
    " ",
  ),
);

const NAMING = new Set(
  [
    "test [ [[ echo printf cat ls stat file mkdir install touch chmod chown chgrp ln rm cp mv which type hash pidof",
    "pidofproc pgrep pkill kill killall killproc status status_of_proc checkproc rc_status setcap getcap strings sed",
    "grep awk ps fuser useradd adduser usermod groupadd addgroup passwd id getent restorecon chcon success failure",
    "checkpath apk apt apt-get rpm dnf yum update-rc.d chkconfig rc-update systemctl trap logger ssh-keygen sv ebegin",
    "einfo ewarn eerror eend",
  ].flatMap((names) => names.split(" ")),
);

/** Whether a program names sshd without starting it. */
export function onlyNames(program: string): boolean {
  return NAMING.has(program) || /^(?:log_|dpkg)/.test(program);
}

/** The system's own programs are no scripts that start sshd. */
export const STANDARD_FOLDER: RegExp = /^\/(?:usr\/)?s?bin\/[^/]*$/;

export function nameOf(program: string): string {
  return program.slice(program.lastIndexOf("/") + 1);
}

/** The script of the service that a command starts: `service ssh start`, /etc/init.d/sshd. */
export function serviceOf(program: string, args: readonly string[]): string | null {
  const direct = /^\/etc\/(?:rc\.d\/)?init\.d\/sshd?$/.test(program) ? [program, ...args] : null;
  const [service = "", action = ""] =
    direct ?? (/^(?:service|rc-service|invoke-rc\.d)$/.test(nameOf(program)) ? args : []);
  if (!/(?:^|\/)sshd?$/.test(service) || !/^(?:start|restart)$/.test(action)) return null;
  return direct === null ? `/etc/init.d/${service}` : service;
}
