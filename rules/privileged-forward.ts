import {
  type Audit,
  type Draft,
  deciderOf,
  grantText,
  openAnswers,
  pointAt,
  type Rule,
  whoText,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const open = openAnswers(audit.exposure, ["tcp-remote"]).filter(
    ({ listen }) => listen !== null && listen.privilegedPorts !== "none",
  );
  const [sample] = open;
  if (sample?.witness === undefined || sample.witness === null) return [];
  const isFree = sample.listen?.privilegedPorts === "all";
  if (!isFree && refusesRoot(audit)) return [];
  const witness = isFree
    ? sample.witness
    : { ...sample.witness, user: "root", groups: ["root"], invalidUser: false };
  const answer = audit.at("tcp-remote", witness);
  if (answer === null || answer.allowed === false || answer.listen === null) return [];
  if (!answer.listen.addresses.some(coversLowPort)) return [];
  const pointed = pointAt(audit.config, "allowtcpforwarding", deciderOf(answer, "allowtcpforwarding"));
  if (pointed === null) return [];
  const wide = answer.listen.bind !== "loopback";
  const who = isFree ? whoText(open) : "a root login";
  return [
    {
      message: `${who} may take a port below 1024 of this server with -R, ${wide ? "reachable from other hosts" : "on loopback"}: such ports are trusted as the system's own`,
      severity: wide ? "high" : isFree ? "low" : "info",
      ...pointed,
      witness,
      grant: grantText([answer]),
      capability: "tcp-remote",
      login: answer.login,
      notes: [
        isFree
          ? "this kernel lets every user bind any port (net.ipv4.ip_unprivileged_port_start=0); AllowTcpForwarding no or local, or PermitListen, ends it"
          : 'PermitRootLogin no, or AllowTcpForwarding no or local in "Match User root", ends it',
      ],
    },
  ];
}

function refusesRoot({ config }: Audit): boolean {
  const lines = config.directives.filter(
    ({ keyword, values }) => keyword === "permitrootlogin" && values !== null,
  );
  return lines.length > 0 && lines.every(({ values }) => values?.[0] === "no");
}

/** "*:*", "localhost:443": an item of PermitListen that fits a port below 1024. */
function coversLowPort(item: string): boolean {
  const port = item.slice(item.lastIndexOf(":") + 1);
  return port === "*" || Number(port) < 1024;
}

export const rule: Rule = {
  id: "privileged-forward",
  title: "a root login may take a privileged port",
  severity: "info",
  docs: {
    what: "A remote forward (`ssh -R`) may listen on a port below 1024 when the login is root's, or for everybody where the kernel's `ip_unprivileged_port_start` is lowered.",
    why: "A service on a low port is taken for the system's own: mail, web, file shares, certificate checks over port 80. With `GatewayPorts` other hosts reach it too, and the client decides what answers there.",
    who: "Root logins for which remote forwarding is open.",
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
