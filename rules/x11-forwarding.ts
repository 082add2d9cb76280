import {
  type Audit,
  type Draft,
  escapesDisable,
  linesOf,
  openingDrafts,
  type Rule,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return openingDrafts(audit, {
    keyword: "X11Forwarding",
    capabilities: ["x11"],
    closed: "no",
    severity: () => (listensWide(audit) ? "high" : "medium"),
    may: () => "may forward X11 (ssh -X, -Y)",
    why: "with -Y a program on this server can read the keyboard and the windows of the client's screen",
    // a finding of disable-forwarding-incomplete
    unless: (answer) => escapesDisable(audit.config, answer),
    notes: () =>
      listensWide(audit) ? ["X11UseLocalhost no: the display listens on all addresses of the server"] : [],
  });
}

function listensWide({ config }: Audit): boolean {
  return linesOf(config, "x11uselocalhost").some(({ values }) => values?.[0] === "no");
}

export const rule: Rule = {
  id: "x11-forwarding",
  title: "X11 forwarding is open",
  severity: "medium",
  docs: {
    what: "Programs on the server may open windows on the client's screen (`ssh -X`, `ssh -Y`). Debian and Red Hat ship `X11Forwarding yes`; sshd's own default is `no`.",
    why: "The danger is on the client's side: with `-Y` a program on the server can read the keyboard and the windows of the user who logged in. With `X11UseLocalhost no` other hosts can reach the display, too.",
    who: "Users who log in with -X or -Y, where xauth is installed on the server.",
    bad: "X11Forwarding yes\n",
    good: "X11Forwarding no\n",
    fix: "Sets `X11Forwarding no`. Safe, unless the line stands in a Match block.",
    allowWhen: "People run graphical programs on the server.",
  },
  references: [
    "sshd_config(5): X11Forwarding and X11UseLocalhost",
    "DISA STIG RHEL-09-255155 (Red Hat Enterprise Linux 9): X11Forwarding no, unless it is documented as needed; as read in github.com/mitre/redhat-enterprise-linux-9-stig-baseline",
    "DISA STIG RHEL-08-040341 (Red Hat Enterprise Linux 8): X11UseLocalhost yes; as read in github.com/CMSgov/redhat-enterprise-linux-8-stig-baseline",
    "OpenSSH source: session.c, session_setup_x11fwd",
  ],
  check,
};
