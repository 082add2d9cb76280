import {
  type Answer,
  type Audit,
  type Capability,
  type Decider,
  type Draft,
  deciderOf,
  forwards,
  grantText,
  groupBy,
  isMeant,
  isUnlimited,
  openAnswers,
  pointAt,
  quoted,
  type Rule,
  reopenedBy,
  setWhereDecided,
  whoText,
} from "../src/lint/rule.ts";

const KEYWORD = "AllowTcpForwarding";
const KEY = "allowtcpforwarding";
const CAPABILITIES: readonly Capability[] = ["tcp-local", "tcp-remote", "unix-local", "unix-remote"];

function check(audit: Audit): Draft[] {
  const open = openAnswers(audit.exposure, CAPABILITIES)
    .filter((answer) => !isMeant(audit.allowed, answer.capability))
    .filter((answer) => reopenedBy(audit.config, answer) === null);
  const byDecider = groupBy(open, (answer) => deciderOf(answer, KEY)?.directive ?? null);
  const drafts: Draft[] = [];
  for (const answers of byDecider.values()) {
    // unix sockets alone are left to stream-local-forwarding
    if (answers.some(({ capability }) => capability.startsWith("tcp-")))
      drafts.push(...report(audit, answers));
  }
  return drafts;
}

function report(audit: Audit, answers: readonly Answer[]): Draft[] {
  const [first] = answers;
  if (first === undefined) return [];
  const decider = deciderOf(first, KEY);
  const pointed = pointAt(audit.config, KEY, decider);
  if (pointed === null) return [];
  const value = audit.allowed === "none" ? "no" : audit.allowed;
  return [
    {
      message: `${whoText(answers)} ${forwards(answers)}: ${because(decider)}`,
      severity: severityOf(answers),
      ...pointed,
      witness: first.witness,
      grant: grantText(answers),
      capability: first.capability,
      login: first.login,
      notes: notesFor(decider),
      fix: setWhereDecided(decider, KEYWORD, value),
    },
  ];
}

function because(decider: Decider | null): string {
  const directive = decider?.directive ?? null;
  if (directive?.origin === "option") return `${quoted(directive)} on sshd's command line allows it`;
  if (directive !== null) return `${quoted(directive)} allows it`;
  return `${KEYWORD} is not set, and sshd's default is ${decider?.value ?? "yes"}`;
}

function severityOf(answers: readonly Answer[]): "high" | "medium" | "low" {
  if (answers.every(({ login }) => login === "impossible")) return "low";
  return isUnlimited(answers) ? "high" : "medium";
}

function notesFor(decider: Decider | null): string[] {
  if (decider?.directive?.origin !== "option") return [];
  return ["an option wins over the file's lines: change it where sshd is started"];
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
    "OpenSSH source: servconf.c, fill_default_server_options (default yes)",
  ],
  check,
};
