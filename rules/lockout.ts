import type { Audit, Draft, Problem, Rule } from "../src/lint/rule.ts";

const CODES: ReadonlySet<string> = new Set([
  "permit-list-lockout",
  "match-address-lockout",
  "subsystem-lockout",
  "include-loop-later",
]);

function check(audit: Audit): Draft[] {
  return audit.config.problems.flatMap(report);
}

function report({ code, message, place }: Problem): Draft[] {
  if (!CODES.has(code)) return [];
  return [
    {
      message: `sshd accepts this line and then cuts off every connection that meets it: ${message}`,
      place,
      notes: ["sshd -t says nothing about it; keep a session open while you repair it"],
    },
  ];
}

export const rule: Rule = {
  id: "lockout",
  title: "a line that locks everybody out",
  severity: "high",
  docs: {
    what: "sshd accepts the file, and then ends every connection for which the line counts: `PermitOpen none` with more words behind it (from 9.7 on), a port that is the name of a service in `PermitOpen` or `PermitListen`, as in `db:postgresql` (from 7.9 on where root runs sshd; seen on 9.2 where an ordinary user does, too), a bad address in `Match Address` (before 8.4), `Subsystem` in Match blocks alone, over which sshd crashes (9.5 to 10.2), or a drop-in that includes its own folder (from 8.2 on).",
    why: "`sshd -t` says that the file is fine. After the next restart nobody who meets the line can log in, root included.",
    who: "Every connection for which the line counts.",
    release: "8.0",
    bad: "Match Address 10.1.2.3/8\n  X11Forwarding no\n",
    good: "Match Address 10.0.0.0/8\n  X11Forwarding no\n",
    fix: "None: write `PermitOpen none` alone, the number of the port, the network with its host bits zero, or a global `Subsystem` line, too; take the Include out of the drop-in.",
    allowWhen: "Never.",
  },
  references: [
    "OpenSSH source: servconf.c, server_process_permitopen_list and match_cfg_line",
    "OpenSSH source: monitor_wrap.c, mm_getpwnamallow",
    "OpenSSH bug 3906: a Subsystem in Match blocks alone",
  ],
  check,
};
