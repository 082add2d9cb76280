import {
  type Audit,
  type Directive,
  type Draft,
  type HostFacts,
  quoted,
  type Rule,
} from "../src/lint/rule.ts";

type SocketUnit = NonNullable<HostFacts["socket"]>;

/** One place to listen, as text: "inet * 22", "inet6 [::1] 22". */
type Listen = string;

function check(audit: Audit): Draft[] {
  const socket = audit.facts?.socket ?? null;
  if (socket === null) return [];
  const lines = audit.config.directives.filter(({ values }) => values !== null);
  const served = new Set(socket.listens.flatMap(listensOfSocket));
  return lines
    .filter(({ origin }) => origin === "file")
    .flatMap((line) => {
      const effect = whatIsLost(line, lines, served);
      return effect === null ? [] : [report(line, socket, effect)];
    });
}

function report(line: Directive, socket: SocketUnit, effect: string): Draft {
  const where = socket.listens.map(shownListen);
  return {
    message: `${quoted(line)} has no effect: systemd listens in sshd's place (${socket.unit}), on ${where.join(", ")}${effect}`,
    severity: effect === "" ? "medium" : "low",
    place: line.place,
    label: "never counts",
    notes: [
      `no edit of this file changes that: systemctl edit ${socket.unit} sets ListenStream=, or systemctl disable --now ${socket.unit} lets sshd listen itself`,
    ],
  };
}

/** What the reader is to know beyond that; null: a line that says what the socket does anyway is no trap. */
function whatIsLost(
  line: Directive,
  lines: readonly Directive[],
  served: ReadonlySet<Listen>,
): string | null {
  if (line.keyword === "port")
    return [...served].some((listen) => portOf(listen) === portValue(line)) ? null : "";
  if (line.keyword !== "listenaddress" && line.keyword !== "addressfamily") return null;
  const wanted = new Set(wantedListens(lines));
  const own = line.keyword === "listenaddress" ? listensOfLine(line, portsOf(lines)) : [];
  if (own.some((listen) => !served.has(listen) && !served.has(anyAddress(listen)))) return "";
  const beyond = [...served].filter((listen) => !wanted.has(listen));
  if (beyond.length === 0) return null;
  return beyond.every((listen) => familyMissing(listen, wanted))
    ? `, and answers on ${beyond[0]?.startsWith("inet6") ? "IPv6" : "IPv4"}, too`
    : "";
}

function shownListen({ address, port, families }: SocketUnit["listens"][number]): string {
  if (address !== null) return `${address}:${port}`;
  if (families.length > 1) return `port ${port}`;
  return `${families[0] === "inet" ? "0.0.0.0" : "[::]"}:${port}`;
}

function familyMissing(listen: Listen, wanted: ReadonlySet<Listen>): boolean {
  const [family] = listen.split(" ");
  return ![...wanted].some((other) => other.startsWith(`${family} `));
}

function listensOfSocket({ address, port, families }: SocketUnit["listens"][number]): Listen[] {
  return families.map((family) => `${family} ${address ?? "*"} ${port}`);
}

/** All that sshd would listen on by the file. */
function wantedListens(lines: readonly Directive[]): Listen[] {
  const ports = portsOf(lines);
  const addresses = lines.filter(({ keyword }) => keyword === "listenaddress");
  const family = lines.find(({ keyword }) => keyword === "addressfamily")?.values?.[0] ?? "any";
  const listens =
    addresses.length > 0
      ? addresses.flatMap((line) => listensOfLine(line, ports))
      : ports.flatMap((port) => [`inet * ${port}`, `inet6 * ${port}`]);
  return listens.filter((listen) => family === "any" || listen.startsWith(`${family} `));
}

function portsOf(lines: readonly Directive[]): readonly number[] {
  const ports = lines.filter(({ keyword }) => keyword === "port").map(portValue);
  return ports.length > 0 ? ports : [22];
}

function portValue({ args }: Directive): number {
  return Number(args[0]?.value ?? "");
}

/** `[::1]:22`, `10.0.0.1:22`, `0.0.0.0`, `::`; an address without a port listens on each Port. */
function listensOfLine({ args }: Directive, ports: readonly number[]): Listen[] {
  const [, bracketed, host, port] = ADDRESS.exec(args[0]?.value ?? "") ?? [];
  const address = bracketed ?? host ?? args[0]?.value ?? "";
  const family = address.includes(":") ? "inet6" : "inet";
  const shown =
    address === "0.0.0.0" || address === "::" ? "*" : family === "inet6" ? `[${address}]` : address;
  return (port === undefined ? ports : [Number(port)]).map((one) => `${family} ${shown} ${one}`);
}

const ADDRESS = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/;

function portOf(listen: Listen): number {
  return Number(listen.split(" ").at(-1));
}

function anyAddress(listen: Listen): Listen {
  const [family, , port] = listen.split(" ");
  return `${family} * ${port}`;
}

export const rule: Rule = {
  id: "socket-unit-overrides-port",
  title: "a port or address of the file that systemd's socket overrides",
  severity: "medium",
  docs: {
    what: "`ssh.socket` (or `sshd.socket`) is enabled, and the file sets a Port, ListenAddress or AddressFamily that differs from it.",
    why: "With socket activation systemd opens the port and hands it to sshd, which then never opens those of its own file. A server that was moved off a public address by ListenAddress still answers there, and one that is to answer on IPv4 only answers on IPv6, too: a socket on a port alone serves both.",
    who: "Everybody who reaches the addresses on which the socket unit listens.",
    bad: "Port 2222\n",
    good: "Port 22\nListenAddress 0.0.0.0\nListenAddress ::\n",
    fix: "None: no edit of the file can mend it. Set ListenStream= in a drop-in of the socket unit, or disable it.",
    allowWhen: "The file is shared with servers that do not use the socket unit.",
  },
  references: [
    "systemd.socket(5): ListenStream= and BindIPv6Only=",
    "OpenSSH source: sshd.c, main (inetd_flag; Debian: systemd's sockets)",
  ],
  check,
};
