import { type Audit, type Directive, type Draft, listenPort, quoted, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const socket = audit.facts?.socket ?? null;
  if (socket === null) return [];
  const ports = new Set(socket.listens.map(({ port }) => port));
  const where = socket.listens.map(({ address, port }) => (address === null ? port : `${address}:${port}`));
  return audit.config.directives
    .filter((directive) => directive.origin === "file" && isIgnored(directive, ports))
    .map((directive) => ({
      message: `${quoted(directive)} has no effect: systemd listens in sshd's place (${socket.unit}), on ${where.join(", ")}`,
      place: directive.place,
      label: "never counts",
      notes: [
        `no edit of this file changes that: systemctl edit ${socket.unit} sets ListenStream=, or systemctl disable --now ${socket.unit} lets sshd listen itself`,
      ],
    }));
}

/** A line that says what the socket does anyway is no trap. */
function isIgnored(directive: Directive, ports: ReadonlySet<number>): boolean {
  const port = listenPort(directive);
  if (directive.keyword === "listenaddress") return true;
  return port !== null && !ports.has(port);
}

export const rule: Rule = {
  id: "socket-unit-overrides-port",
  title: "a port of the file that systemd's socket overrides",
  severity: "medium",
  docs: {
    what: "`ssh.socket` (or `sshd.socket`) is enabled, and the file sets a Port or ListenAddress that differs from it.",
    why: "With socket activation systemd opens the port and hands it to sshd, which then never opens those of its own file. A server that was moved off a public address by ListenAddress still answers there.",
    who: "Everybody who reaches the addresses on which the socket unit listens.",
    bad: "Port 2222\n",
    good: "Port 22\n",
    fix: "None: no edit of the file can mend it. Set ListenStream= in a drop-in of the socket unit, or disable it.",
    allowWhen: "The file is shared with servers that do not use the socket unit.",
  },
  references: [
    "systemd.socket(5): ListenStream=",
    "OpenSSH source: sshd.c, main (inetd_flag; Debian: systemd's sockets)",
  ],
  check,
};
