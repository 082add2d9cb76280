import { type Audit, type Draft, openingDrafts, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return openingDrafts(audit, {
    keyword: "PermitTunnel",
    capabilities: ["tun"],
    closed: "no",
    severity: () => "medium",
    may: () => "may open a network tunnel (ssh -w)",
    notes: () => ["it needs a root login, or a tun device that belongs to the user"],
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
