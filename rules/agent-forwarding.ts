import { type Audit, type Draft, escapesDisable, openingDrafts, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return openingDrafts(audit, {
    keyword: "AllowAgentForwarding",
    capabilities: ["agent"],
    closed: "no",
    severity: () => "low",
    may: () => "may forward their ssh agent (ssh -A)",
    why: "while they are logged in, root on this server can use the keys of that agent",
    // a finding of disable-forwarding-incomplete
    unless: (answer) => escapesDisable(audit.config, answer),
  });
}

export const rule: Rule = {
  id: "agent-forwarding",
  title: "agent forwarding is open",
  severity: "low",
  docs: {
    what: "A client may lend its ssh agent to the server (`ssh -A`), so that programs there can use the client's keys. sshd's default is `yes`.",
    why: "Root on the server, and whoever gets the user's rights there, can use the keys while the user is logged in. It helps an intruder to move from one server to the next.",
    who: "Users who log in with -A. The danger is to their keys, not to this server.",
    bad: "PermitRootLogin no\n",
    good: "AllowAgentForwarding no\n",
    fix: "Sets `AllowAgentForwarding no`. Safe, unless the line stands in a Match block. `ssh -J` needs no agent on the server in between. sshd_config(5) notes that users with a shell can install a forwarder of their own.",
    allowWhen: "People hop from this server to others and cannot use `ssh -J`.",
  },
  references: [
    "sshd_config(5): AllowAgentForwarding",
    "ssh(1): -A",
    "OpenSSH source: session.c, session_auth_agent_req",
  ],
  check,
};
