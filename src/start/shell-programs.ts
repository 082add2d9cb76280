/** Which programs are sshd, a shell, or start services by themselves. */

/** By its own name or a build's: Alpine's sshd.pam and sshd.krb5, sshd-10.0. */
export function isSshd(word: string): boolean {
  return (
    /(?:^|\/)sshd(?:\.(?!(?:sh|conf|service|socket|pid|log|py)$)\w+|-\d[\w.]*)?$/.test(word) &&
    !/^\/(?:run|var|etc|dev)\//.test(word)
  );
}

export const SHELLS: RegExp = /^(?:ba|da|a|k|z)?sh$/;

/** What starts the services of a system, each as its own files say. */
export const SERVICE_MANAGERS: ReadonlySet<string> = new Set(
  "init systemd openrc openrc-init runit runit-init".split(" "),
);

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
