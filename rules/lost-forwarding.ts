import {
  type Audit,
  type Draft,
  type IntentEntry,
  type Loss,
  listed,
  type Pointed,
  pointAt,
  quoted,
  type Rule,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return (audit.intended?.losses ?? []).flatMap((loss) => report(audit, loss));
}

const VERBS: Readonly<Record<string, string>> = {
  "tcp-local": "reach",
  "tcp-remote": "listen on",
  "unix-local": "reach",
  "unix-remote": "listen on",
  tun: "open a network tunnel",
  x11: "forward X11",
  agent: "forward their ssh agent",
};

function report(audit: Audit, loss: Loss & { readonly entry: IntentEntry }): Draft[] {
  const { entry, kind, capability, condition, witness } = loss;
  if (kind === "nobody")
    return [
      {
        message: "nobody can be meant by this entry: no connection fits it",
        place: entry.place,
        severity: "medium",
      },
    ];
  const related = [{ place: entry.place, note: "this entry wants it" }];
  // no line gives or takes a port that only root may bind
  const pointed = kind === "needs-root" ? { place: entry.place } : deciding(audit, loss);
  if (pointed === null) return [];
  const what = [
    VERBS[capability] ?? capability,
    ...(loss.missing.length === 0 ? [] : [listed(loss.missing)]),
  ].join(" ");
  const reason = entry.reason === "" ? "" : ` (${entry.reason})`;
  return [
    {
      message: `${condition}${condition.includes(",") ? "," : ""} must be able to ${what}${reason}, and cannot: ${whyNot(loss)}`,
      ...pointed,
      ...(kind === "needs-root" ? {} : { related }),
      witness,
      capability,
      login: kind === "no-login" || kind === "refused" ? "impossible" : null,
      affected: [{ ...loss.extent, capability, grant: [capability, kind, ...loss.missing].join(" ") }],
    },
  ];
}

/** The line that decides last, or the default. */
function deciding({ config }: Audit, { decidedBy }: Loss): Pointed | null {
  const decider = decidedBy.findLast(({ directive }) => directive !== null) ?? decidedBy[0];
  return decider === undefined ? null : pointAt(config, decider.keyword, decider);
}

function whyNot({ kind, decidedBy, because }: Loss): string {
  if (kind === "needs-root") return because;
  if (kind === "no-login") return `nobody of them can log in, ${because}`;
  if (kind === "refused") return `not all of them can log in from everywhere there: ${because}`;
  const written = decidedBy.findLast(({ directive }) => directive !== null);
  if (written?.directive != null)
    return `${quoted(written.directive)} ${kind === "closed" ? "closes it" : "gives less"}`;
  const [first] = decidedBy;
  return `sshd's default of ${first?.keyword ?? "the keyword"} is ${first?.value ?? "no"}`;
}

export const rule: Rule = {
  id: "lost-forwarding",
  title: "forwarding that must work is closed",
  severity: "high",
  docs: {
    what: "An entry under `keep` in the policy file (`.sshd-policy.yaml`) says what must keep working, and some connection of it does not get it: forwarding is closed, limited to other destinations, on a port that only root may bind, nobody of them can log in, or somebody whom the entry names cannot log in from everywhere that it says.",
    why: "A repair or a new block has cut off somebody who needs the tunnel, and sshd says nothing about it until they try.",
    who: "The connections that the finding names, with a witness among them.",
    policy:
      "version: 1\nkeep:\n  - users: deploy\n    from: 10.0.0.0/8\n    capability: tcp-local\n    to: db:5432\n",
    bad: "AllowTcpForwarding no\n",
    good: "AllowTcpForwarding no\nMatch User deploy\n  AllowTcpForwarding local\n  PermitOpen db:5432\n",
    fix: "None: open it for those who need it, in a Match block with PermitOpen.",
    allowWhen: "Never: take the entry out of the policy file instead.",
  },
  references: ["docs/policy-file.md"],
  check,
};
