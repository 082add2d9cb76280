import { type Answer, type Audit, type Draft, openingDrafts, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return openingDrafts(audit, {
    keyword: "PermitTunnel",
    capabilities: ["tun"],
    closed: "no",
    severity: (answers) => (admitsRoot(audit, answers) ? "medium" : "low"),
    may: () => "may open a network tunnel (ssh -w)",
    notes: (answers) => [
      admitsRoot(audit, answers)
        ? "only root can make the tun device for it, or a user whose device an administrator has made before"
        : "root is not among them: it needs a tun device that an administrator has made for the user",
    ],
  });
}

/** Only root may make a tun device (serverloop.c, server_request_tun; tun.txt of the kernel). */
function admitsRoot(audit: Audit, answers: readonly Answer[]): boolean {
  return answers.some(({ witness }) => {
    if (witness === null) return true;
    const root = { ...witness, user: "root", groups: ["root"], invalidUser: false };
    return audit.at("tun", root) !== null && audit.login(root) !== "impossible";
  });
}

export const rule: Rule = {
  id: "tunnel-device",
  title: "tunnel devices are open",
  severity: "medium",
  docs: {
    what: "`PermitTunnel` lets a client join its network with the server's through a tun or tap device (`ssh -w`): whole IP packets or Ethernet frames instead of single connections.",
    why: "PermitOpen, PermitListen and AllowTcpForwarding do not limit what goes through the device, and DisableForwarding does so only from OpenSSH 10.4 on. A login with such a tunnel is a VPN into the network.",
    who: "Root logins, and users to whom a tun device belongs, among the connections that the finding names.",
    bad: "PermitTunnel yes\n",
    good: "PermitTunnel no\n",
    fix: "Sets `PermitTunnel no`. Safe, unless the line stands in a Match block.",
    allowWhen:
      "The server is a VPN endpoint by intention. Put the line into a Match block for the account that needs it.",
  },
  references: ["sshd_config(5): PermitTunnel", "OpenSSH source: serverloop.c, server_request_tun"],
  check,
};
