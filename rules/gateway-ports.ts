import {
  type Answer,
  type Audit,
  type Draft,
  deciderOf,
  groupBy,
  nobodyLogsIn,
  openAnswers,
  opened,
  pointAt,
  quoted,
  type Rule,
  setWhereDecided,
  whoText,
} from "../src/lint/rule.ts";

const KEY = "gatewayports";

function check(audit: Audit): Draft[] {
  const wide = openAnswers(audit.exposure, ["tcp-remote"]).filter(
    ({ listen }) => listen !== null && listen.bind !== "loopback",
  );
  const byDecider = groupBy(wide, (answer) => deciderOf(answer, KEY)?.directive ?? null);
  return [...byDecider.values()].flatMap((answers) => report(audit, answers));
}

function report(audit: Audit, answers: readonly Answer[]): Draft[] {
  const [first] = answers;
  const decider = first === undefined ? null : deciderOf(first, KEY);
  const pointed = pointAt(audit.config, KEY, decider);
  if (
    first === undefined ||
    pointed === null ||
    decider?.directive === undefined ||
    decider.directive === null
  )
    return [];
  const where =
    first.listen?.bind === "wildcard"
      ? "on all addresses of this server"
      : "on any address of this server that they ask for";
  return [
    {
      message: `${whoText(answers)} may open ports with -R that other hosts can reach, ${where}: ${quoted(decider.directive)}`,
      severity: answers.every(({ login }) => login === "impossible") ? "low" : "medium",
      ...pointed,
      ...opened(audit, first, answers),
      grant: `-R ${first.listen?.bind === "wildcard" ? "always" : "on request"} listens beyond loopback`,
      notes: answers.every(({ login }) => login === "impossible") ? [nobodyLogsIn(first)] : [],
      fix: setWhereDecided(decider, "GatewayPorts", "no"),
    },
  ];
}

export const rule: Rule = {
  id: "gateway-ports",
  title: "remote forwards listen beyond loopback",
  severity: "medium",
  about: ["gatewayports"],
  docs: {
    what: "`GatewayPorts yes` makes every remote forward (`ssh -R`) listen on all addresses; `clientspecified` lets the client choose. Without it a remote forward listens on the loopback address only.",
    why: "Everybody who can reach the server can reach the service that the client offers behind it: a way from the outside into the client's network, under the server's name. A port can look like a service of the server.",
    who: "Connections that may open a remote forward at all; where TCP forwarding is closed, GatewayPorts changes nothing and this rule is silent.",
    bad: "GatewayPorts yes\n",
    good: "GatewayPorts yes\nAllowTcpForwarding no\n",
    fix: "Sets `GatewayPorts no` in the deciding line. The forwards stay possible on loopback. Safe, unless the line stands in a Match block.",
    allowWhen: "The server is meant as a public relay. Limit the ports then with `PermitListen`.",
  },
  references: [
    "sshd_config(5): GatewayPorts",
    "DISA STIG ESXI-65-000022 (ESXi 6.5): GatewayPorts no; as read in github.com/mitre/inspec-profile-update-action",
    "OpenSSH source: channels.c, channel_fwd_bind_addr",
  ],
  check,
};
