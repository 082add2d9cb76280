import { type Audit, atFile, type Draft, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const daemon = audit.facts?.daemon ?? null;
  if (daemon === null) return [];
  return [...(audit.facts?.unread ?? [])].flatMap(([file, modifiedMs]) => {
    const place = atFile(audit.config, file);
    if (place === null) return [];
    return [
      {
        message: `the running sshd (pid ${daemon.pid}) has not read this file as it is: changed ${timeText(modifiedMs)}, read ${timeText(daemon.readMs)}`,
        place,
        notes: ["what is audited here takes effect when sshd is restarted or reloaded: systemctl reload ssh"],
      },
    ];
  });
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

export const rule: Rule = {
  id: "stale-daemon",
  title: "a change that the running sshd has not read",
  severity: "medium",
  docs: {
    what: "On the live host, a file of the configuration is newer than the start of sshd and than its pid file, which sshd writes anew when it reloads.",
    why: "sshd reads its files when it starts or reloads. Until then the old policy holds, whatever the files say; and a file that sshd refuses shows only at its next start, perhaps months later.",
    who: "Everybody: the policy that was audited is not the one in force.",
    bad: "AllowTcpForwarding no\n",
    good: "AllowTcpForwarding no\n",
    fix: "None in the file: test it with `sshd -t`, then reload or restart sshd.",
    allowWhen: "The change waits for a maintenance window.",
  },
  references: [
    "sshd(8): SIGHUP",
    "OpenSSH source: sshd.c, sighup_restart and the pid file",
    "proc(5): starttime",
  ],
  check,
};
