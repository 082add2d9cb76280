import {
  type Answer,
  type Audit,
  type Capability,
  type Draft,
  deciderOf,
  isUnlimited,
  openingDrafts,
  type Rule,
  unmeant,
} from "../src/lint/rule.ts";

const TCP: readonly Capability[] = ["tcp-local", "tcp-remote"];
const KEY = "allowtcpforwarding";

function check(audit: Audit): Draft[] {
  const opening = new Set(unmeant(audit, TCP).map((answer) => deciderOf(answer, KEY)?.directive));
  return openingDrafts(audit, {
    keyword: "AllowTcpForwarding",
    capabilities: [...TCP, "unix-local", "unix-remote"],
    closed: audit.allowed === "none" ? "no" : audit.allowed,
    severity: (answers) => (isUnlimited(answers) ? "high" : "medium"),
    why: "a login becomes a way through this server's firewall, and needs no shell for it",
    notes: (answers) => (mayServeJumps(answers) ? [KEEP_IT] : []),
    // unix sockets alone are left to stream-local-forwarding
    unless: (answer) => !opening.has(deciderOf(answer, KEY)?.directive),
  });
}

const KEEP_IT =
  "a jump host needs it: then limit it to those who do (a Match block) and to their targets (PermitOpen HOST:PORT)";

/** Written, so perhaps on purpose, and without limits. */
function mayServeJumps(answers: readonly Answer[]): boolean {
  const outward = answers.filter(({ capability }) => capability === "tcp-local");
  const isWritten = outward.some((answer) => (deciderOf(answer, KEY)?.directive ?? null) !== null);
  return isWritten && isUnlimited(outward);
}

export const rule: Rule = {
  id: "tcp-forwarding",
  title: "TCP forwarding is open",
  severity: "high",
  docs: {
    what: "Clients may forward TCP connections through the server: outward to any host that the server reaches (`ssh -L`, `-D`, `-W`, `-J`), inward from ports that the server listens on (`ssh -R`), or both. `AllowTcpForwarding` decides. When no line sets it, sshd's default is `yes`: a server whose file never mentions forwarding is open.",
    why: "A login becomes a way into the network behind the server, past its firewall, and connections come from the server's own address. With `-R` an outsider's service appears on the server. Forwarding works without a shell: `ForceCommand`, `ChrootDirectory` or a nologin shell do not stop it.",
    who: "Every connection that can log in and that no `Match` block decides otherwise. The finding names them and gives one of them as a witness to check by hand.",
    bad: "PermitRootLogin no\n",
    good: "AllowTcpForwarding no\n",
    fix: "Sets `AllowTcpForwarding no` in the line that decides today, in the commented line of the stock file, or in a new line in front of the first Match. Safe, unless the deciding line stands in a Match block. It also closes the forwarding of unix sockets, which needs the same keyword. What breaks: `ssh -L`, `-R`, `-D`, `-W`, jumps through this host (`ProxyJump`) and tools built on them. sshd_config(5) notes that users with a shell can always install their own forwarders: take the shell away, too, where that matters.",
    allowWhen:
      "The server is a bastion or a jump host. Limit it then to the group that needs it and to the targets they need (`PermitOpen`).",
  },
  references: [
    "sshd_config(5): AllowTcpForwarding",
    "CIS Ubuntu Linux 18.04 LTS Benchmark 2.0.1, 5.2.21 (level 2): AllowTcpForwarding no; as read in github.com/mitre/canonical-ubuntu-18.04-lts-server-cis-baseline",
    "DISA STIG PHTN-40-000220 (Photon OS of vCenter 8): AllowTcpForwarding no; as read in github.com/vmware/dod-compliance-and-automation",
    "OpenSSH source: servconf.c, fill_default_server_options (default yes)",
  ],
  check,
};
