import {
  type Audit,
  type Capability,
  type Draft,
  deciderOf,
  openingDrafts,
  type Rule,
  unmeant,
} from "../src/lint/rule.ts";

const TCP: readonly Capability[] = ["tcp-local", "tcp-remote"];
const KEY = "allowtcpforwarding";

function check(audit: Audit): Draft[] {
  const reported = new Set(unmeant(audit, TCP).map((answer) => deciderOf(answer, KEY)?.directive));
  return openingDrafts(audit, {
    keyword: "AllowStreamLocalForwarding",
    capabilities: ["unix-local", "unix-remote"],
    closed: "no",
    severity: () => "medium",
    may: (answers) =>
      answers.some(({ capability }) => capability === "unix-local")
        ? "may reach unix sockets of this server"
        : "may create unix sockets on this server",
    // closing TCP there closes the sockets, too: a finding of tcp-forwarding
    unless: (answer) => {
      const tcp = deciderOf(answer, KEY);
      return tcp !== null && reported.has(tcp.directive);
    },
    notes: () => ["a socket can be as good as root: /run/docker.sock, a database, an agent's socket"],
  });
}

export const rule: Rule = {
  id: "stream-local-forwarding",
  title: "unix socket forwarding is open",
  severity: "medium",
  docs: {
    what: "Clients may connect to unix sockets of the server (`ssh -L PORT:/path`) or create sockets there (`ssh -R /path:...`), where TCP forwarding itself is closed or meant to be open. `AllowStreamLocalForwarding` decides together with `AllowTcpForwarding`: both must allow the direction. A `PermitOpen` list closes the outward direction, unless an item fits a path.",
    why: "Services that listen on a socket instead of a port often trust whoever can reach it: container engines, databases, agents. The forwarded connection has the rights of the login, not of the place where the client sits.",
    who: "The connections that the finding names.",
    bad: "AllowTcpForwarding yes\nPermitOpen none\nPermitListen none\n",
    good: "AllowTcpForwarding no\n",
    fix: "Sets `AllowStreamLocalForwarding no` where the value is decided today. TCP forwarding stays as it is. Safe, unless the deciding line stands in a Match block.",
    allowWhen: "A tool needs it, such as remote access to a container engine or GnuPG agent forwarding.",
  },
  references: [
    "sshd_config(5): AllowStreamLocalForwarding",
    "OpenSSH source: serverloop.c, server_request_direct_streamlocal; channels.c, channel_connect_to_path and channel_setup_fwd_listener_streamlocal",
  ],
  check,
};
