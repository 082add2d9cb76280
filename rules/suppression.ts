import type { Audit, Draft, Rule } from "../src/lint/rule.ts";

function check(audit: Audit): readonly Draft[] {
  return audit.complaints;
}

export const rule: Rule = {
  id: "suppression",
  title: "a suppression that does not count",
  severity: "low",
  docs: {
    what: "A comment `# sshd-policy: allow RULE -- reason` accepts a finding: on the line before, or at the end of the line (before only, for keywords that take the rest of the line as their value: ForceCommand, AuthorizedKeysCommand, AuthorizedPrincipalsCommand, VersionAddendum). A finding that no line decides is accepted by a comment of the global part. `allow-file RULE -- reason` holds for the whole file, and `until 2027-01-31` in front of `--` or behind the reason ends it. This rule reports comments that have no reason, are over, name no day of the calendar, name no rule, or accept what is not there any more.",
    why: "An exception that nobody can explain, or that outlives its cause, hides the next hole in the same place.",
    who: "Nobody; the finding that the comment was to accept is shown.",
    bad: "# sshd-policy: allow tcp-forwarding\nAllowTcpForwarding yes\n",
    good: "# sshd-policy: allow tcp-forwarding until 2099-12-31 -- bastion, see ticket 42\nAllowTcpForwarding yes\n",
    fix: "None: write the reason, or delete the comment.",
    allowWhen: "Never. `--no-suppressions` shows what the comments hold back.",
  },
  references: ["docs/rules.md"],
  late: true,
  check,
};
