import { type Audit, type Draft, decode, makeSource, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return (audit.facts?.unreadDropIns ?? []).map(({ path, bytes }) => {
    const source = makeSource(audit.shownAs(path), decode(bytes));
    return {
      message: "sshd does not read this file: no Include of the main file names it",
      place: { source, start: 0, end: 0 },
      notes: [
        "add Include /etc/ssh/sshd_config.d/*.conf as the first line of the main file, or delete this one",
      ],
    };
  });
}

export const rule: Rule = {
  id: "drop-in-not-included",
  title: "a drop-in that nothing includes",
  severity: "medium",
  docs: {
    what: "A file `sshd_config.d/*.conf` lies beside the main file, and no `Include` of the configuration reads it.",
    why: "What it sets does not count, and sshd says nothing. It happens on systems whose main file is older than the drop-in folder, or was replaced by one without the Include line.",
    who: "Everybody: the settings of that file are not in force.",
    bad: "PermitRootLogin no\n",
    good: "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\n",
    fix: "None: where the Include line stands decides which values win.",
    allowWhen: "The file is kept for another server.",
  },
  references: ["sshd_config(5): Include"],
  check,
};
