import {
  type Answer,
  type Audit,
  type Draft,
  deciderOf,
  globalLine,
  openAnswers,
  opened,
  quoted,
  type Rule,
  setWhereDecided,
  whoText,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const listen = globalLine(audit.config, "permitlisten");
  if (listen === null || listen.values?.[0] === "any" || listen.origin === "option") return [];
  const open = openAnswers(audit.exposure, ["unix-remote"]);
  const [first] = open;
  if (first === undefined) return [];
  return [
    {
      message: `${whoText(open)} may still create unix sockets with -R: ${quoted(listen)} limits ports only`,
      place: listen.valuePlace,
      ...opened(audit, first, open),
      fix: setWhereDecided(
        deciderOf(first, "allowstreamlocalforwarding"),
        "AllowStreamLocalForwarding",
        kept(first),
      ),
    },
  ];
}

/** The outward direction stays where it is open today. */
function kept(answer: Answer): string {
  return deciderOf(answer, "allowstreamlocalforwarding")?.value === "yes" ? "local" : "no";
}

export const rule: Rule = {
  id: "permit-listen-ignores-sockets",
  title: "PermitListen does not limit unix sockets",
  severity: "low",
  about: ["permitlisten"],
  docs: {
    what: "`PermitListen` limits the ports of remote forwards, even to `none`, and a client may still create a unix socket on the server with `ssh -R /path:...`.",
    why: "sshd does not check socket forwards against PermitListen. Who writes `PermitListen none` believes that `-R` is closed.",
    who: "Connections for which AllowTcpForwarding and AllowStreamLocalForwarding allow the remote direction.",
    bad: "PermitListen none\n",
    good: "PermitListen none\nAllowStreamLocalForwarding local\n",
    fix: "Sets `AllowStreamLocalForwarding local`, which closes the remote direction alone. Safe, unless the deciding line stands in a Match block.",
    allowWhen: "Clients need the sockets.",
  },
  references: [
    "sshd_config(5): PermitListen and AllowStreamLocalForwarding",
    "OpenSSH source: channels.c, channel_setup_fwd_listener_streamlocal and check_rfwd_permission",
  ],
  check,
};
