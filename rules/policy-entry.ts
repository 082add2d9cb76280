import type { Audit, Draft, Intended, IntentEntry, Rule } from "../src/lint/rule.ts";

function check({ intended }: Audit): Draft[] {
  return intended === null ? [] : [...intended.expired.map(expired), ...unused(intended)];
}

function expired({ until, owner, reason, place }: IntentEntry): Draft {
  const about = [reason, owner === null ? "" : `ask ${owner}`].filter((text) => text !== "").join("; ");
  return {
    message: `this entry ended on ${until ?? ""} and counts no more${about === "" ? "" : ` (${about})`}`,
    place,
    notes: ["renew it with another day, or delete it"],
  };
}

function unused({ unused: entries }: Intended): Draft[] {
  return entries.map(({ place }) => ({
    message: "nothing is open that this entry allows",
    place,
    severity: "info",
    notes: ["delete it, so that nobody opens it again unseen"],
  }));
}

export const rule: Rule = {
  id: "policy-entry",
  title: "an entry of the policy file that is over or not needed",
  severity: "medium",
  docs: {
    what: "An entry under `allow` or `keep` in the policy file (`.sshd-policy.yaml`) has passed its last day (`until`), or it allows what the configuration does not open.",
    why: "An entry that is over counts no more: what it allowed is a finding again, what it kept is no longer watched. One that allows what is closed would hide the hole when somebody opens it.",
    who: "Nobody yet; its owner should decide.",
    policy:
      "version: 1\nallow:\n  - users: deploy\n    capability: tcp-local\n    to: db:5432\n    reason: migration\n    owner: dba@example.com\n    until: 2099-12-31\n",
    bad: "AllowTcpForwarding no\n",
    good: "AllowTcpForwarding no\nMatch User deploy\n  AllowTcpForwarding local\n  PermitOpen db:5432\n",
    fix: "None: renew the entry, or delete it.",
    allowWhen: "Never: change the policy file.",
  },
  references: ["docs/policy-file.md"],
  check,
};
