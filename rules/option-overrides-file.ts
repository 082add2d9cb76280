import { type Audit, DEAD_LINES, type Draft, type LineUse, quoted, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return audit.lineUses.flatMap((use) => (use.decides === false ? report(use) : []));
}

function report({ directive, shadowedBy }: LineUse): Draft[] {
  const [first] = shadowedBy;
  if (first?.origin !== "option" || directive.origin === "option") return [];
  if ((first.values ?? []).join(" ") === (directive.values ?? []).join(" ")) return [];
  return [
    {
      message: `${quoted(directive)} has no effect: sshd is started with -o ${quoted(first)}, which wins`,
      place: directive.place,
      label: "never counts",
      notes: [
        "no edit of this file changes that: change the service's options (systemctl cat ssh, /etc/default/ssh, /etc/sysconfig/sshd)",
      ],
    },
  ];
}

export const rule: Rule = {
  id: "option-overrides-file",
  title: "an option on the command line overrides the file",
  severity: "medium",
  about: [DEAD_LINES],
  docs: {
    what: "sshd is started with `-o Keyword=value` (in a unit, a defaults file or by hand), and a line of the file sets the same keyword.",
    why: "Options are read before the file and win over its global lines; only Match blocks beat them. Whoever reads or edits the file sees a value that does not count.",
    who: "Every connection that no Match block decides.",
    bad: "AllowTcpForwarding no\n",
    good: "Match User bob\n  AllowTcpForwarding no\n",
    fix: "None: no edit of the file can mend it.",
    allowWhen: "The option is the intended place, such as the crypto policy of Red Hat.",
  },
  references: ["sshd(8): -o", "OpenSSH source: sshd.c, main (option -o)"],
  check,
};
