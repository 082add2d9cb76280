import {
  type Answer,
  type Audit,
  affectedBy,
  type Connection,
  type Directive,
  type Draft,
  deciderOf,
  endpointOf,
  grantText,
  linesOf,
  openAnswers,
  type Pointed,
  pointAt,
  quoted,
  type Rule,
  whoText,
} from "../src/lint/rule.ts";

/** A way to a low port, and whose it is. */
interface Way {
  readonly answer: Answer;
  readonly witness: Connection;
}

function check(audit: Audit): Draft[] {
  const open = openAnswers(audit.exposure, ["tcp-remote"]).filter(
    ({ listen }) => listen !== null && listen.privilegedPorts !== "none",
  );
  const isFree = open[0]?.listen?.privilegedPorts === "all";
  const ways = open.flatMap(({ witness }) =>
    witness === null ? [] : wayOf(audit, isFree ? witness : { ...witness, ...ROOT }),
  );
  const way = ways.find(isWide) ?? ways[0];
  if (way === undefined) return [];
  return isFree ? everybodys(audit, way, open) : roots(audit, way);
}

const ROOT = { user: "root", groups: ["root"], invalidUser: false } as const;

function wayOf(audit: Audit, witness: Connection): Way[] {
  const answer = audit.at("tcp-remote", witness);
  const isOpen = answer !== null && answer.allowed !== false && answer.listen !== null;
  if (!isOpen || !answer.listen.addresses.some(coversLowPort)) return [];
  return audit.login(witness) === "impossible" ? [] : [{ answer, witness }];
}

function isWide({ answer }: Way): boolean {
  return answer.listen?.bind !== "loopback";
}

/** The kernel lets everybody bind low ports. */
function everybodys(audit: Audit, way: Way, open: readonly Answer[]): Draft[] {
  const pointed = pointAt(audit.config, "allowtcpforwarding", deciderOf(way.answer, "allowtcpforwarding"));
  if (pointed === null) return [];
  return [
    {
      ...draft(way, whoText(open)),
      ...pointed,
      affected: affectedBy(open),
      severity: isWide(way) ? "high" : "low",
      notes: [
        "this kernel lets every user bind any port (net.ipv4.ip_unprivileged_port_start=0); AllowTcpForwarding no or local, or PermitListen, ends it",
      ],
    },
  ];
}

/**
 * Root can bind the port without sshd, too: on loopback it is worth a word only where somebody wrote that root may
 * log in.
 */
function roots(audit: Audit, way: Way): Draft[] {
  const admitting = linesOf(audit.config, "permitrootlogin").find(
    ({ values }) => values !== null && values[0] !== "no",
  );
  const pointed = rootsPlace(audit, way, admitting);
  if (pointed === null) return [];
  const who = admitting === undefined ? "a root login" : `a root login, which ${quoted(admitting)} lets in,`;
  return [
    {
      ...draft(way, who),
      ...pointed,
      affected: affectedBy([way.answer], "user root"),
      severity: isWide(way) ? "medium" : "info",
      notes: ['PermitRootLogin no, or AllowTcpForwarding no or local in "Match User root", ends it'],
    },
  ];
}

function rootsPlace({ config }: Audit, way: Way, admitting: Directive | undefined): Pointed | null {
  if (admitting?.origin === "file") return { place: admitting.valuePlace, label: "" };
  return isWide(way) ? pointAt(config, "gatewayports", deciderOf(way.answer, "gatewayports")) : null;
}

function draft(way: Way, who: string): Pick<Draft, "message" | "witness" | "grant" | "capability" | "login"> {
  const { answer, witness } = way;
  const where = isWide(way) ? "where other hosts reach it" : "on loopback";
  return {
    message: `${who} may take a port below 1024 of this server with -R, ${where}: such ports are trusted as the system's own`,
    witness,
    grant: grantText([answer]),
    capability: "tcp-remote",
    login: answer.login,
  };
}

/** "*:*", "localhost:443": an item of PermitListen that fits a port below 1024. */
function coversLowPort(item: string): boolean {
  const { port } = endpointOf(item);
  return port === "*" || Number(port) < 1024;
}

export const rule: Rule = {
  id: "privileged-forward",
  title: "a root login may take a privileged port",
  severity: "info",
  docs: {
    what: "A remote forward (`ssh -R`) may listen on a port below 1024 when the login is root's, or for everybody where the kernel's `ip_unprivileged_port_start` is lowered.",
    why: "A service on a low port is taken for the system's own: mail, web, file shares, certificate checks over port 80. With `GatewayPorts` other hosts reach it too, and the client decides what answers there.",
    who: "Root logins for which remote forwarding is open. Where the forward stays on loopback and no line says that root may log in, the rule is silent: root can bind the port without sshd.",
    bad: "GatewayPorts yes\nPermitRootLogin yes\n",
    good: "PermitRootLogin no\n",
    fix: "None of its own: closing remote forwarding, or root's login, ends it.",
    allowWhen: "Root logs in for this very purpose.",
  },
  references: [
    "sshd_config(5): AllowTcpForwarding, GatewayPorts, PermitRootLogin",
    "ip(7): ip_unprivileged_port_start",
    "OpenSSH source: channels.c, channel_setup_fwd_listener_tcpip",
  ],
  check,
};
