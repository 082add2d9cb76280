import {
  type Answer,
  type Audit,
  type Capability,
  type Draft,
  deciderOf,
  escapesDisable,
  globalLine,
  groupBy,
  openAnswers,
  opened,
  type Rule,
  setWhereDecided,
  whoText,
} from "../src/lint/rule.ts";

const KEYWORDS: readonly (readonly [Capability, string])[] = [
  ["x11", "X11Forwarding"],
  ["agent", "AllowAgentForwarding"],
  ["tun", "PermitTunnel"],
];
const SINCE: Readonly<Partial<Record<Capability, string>>> = { x11: "10.0", agent: "10.0", tun: "10.4" };

function check(audit: Audit): Draft[] {
  const disabling = globalLine(audit.config, "disableforwarding");
  if (disabling?.values?.[0] !== "yes") return [];
  return KEYWORDS.flatMap(([capability, keyword]) => {
    const open = openAnswers(audit.exposure, [capability]).filter((answer) =>
      escapesDisable(audit.config, answer),
    );
    const byDecider = groupBy(open, (answer) => deciderOf(answer, keyword.toLowerCase())?.directive ?? null);
    return [...byDecider.values()].flatMap((answers) =>
      report(audit, { keyword, answers, place: disabling.valuePlace }),
    );
  });
}

interface Incomplete {
  readonly keyword: string;
  readonly answers: readonly Answer[];
  /** of DisableForwarding */
  readonly place: Draft["place"];
}

function report(audit: Audit, { keyword, answers, place }: Incomplete): Draft[] {
  const [first] = answers;
  if (first === undefined) return [];
  const decider = deciderOf(first, keyword.toLowerCase());
  const since = SINCE[first.capability] ?? "";
  const related =
    decider?.directive?.origin === "file"
      ? [{ place: decider.directive.place, note: "this still counts" }]
      : [];
  return [
    {
      message: `${whoText(answers)} may still use ${NAMES[first.capability] ?? "it"}: this sshd's DisableForwarding does not cover it, only OpenSSH ${since} and later does`,
      severity: first.capability === "agent" ? "low" : "medium",
      place,
      related,
      ...opened(audit, first, answers),
      notes:
        first.capability === "tun"
          ? []
          : [
              "CVE-2025-32728; distributions repaired older releases: --openssh with the whole package version says whether yours is",
            ],
      fix: setWhereDecided(decider, keyword, "no"),
    },
  ];
}

const NAMES: Readonly<Partial<Record<Capability, string>>> = {
  x11: "X11 forwarding",
  agent: "agent forwarding",
  tun: "a tunnel device",
};

export const rule: Rule = {
  id: "disable-forwarding-incomplete",
  title: "DisableForwarding does not cover everything in this release",
  severity: "medium",
  about: ["disableforwarding"],
  docs: {
    what: "`DisableForwarding yes` is set, and this release of sshd does not apply it to X11 and agent forwarding (before 10.0, CVE-2025-32728), or to tunnel devices (before 10.4).",
    why: "The manual says that DisableForwarding disables all forwarding. It did not: X11 and agent forwarding stayed as their own keywords say, and the agent's default is open. Distributions have repaired this in older releases, so the package's revision counts.",
    who: "Everybody for whom the finding's own keyword is open.",
    bad: "DisableForwarding yes\nX11Forwarding yes\n",
    good: "DisableForwarding yes\nX11Forwarding no\nAllowAgentForwarding no\nPermitTunnel no\n",
    fix: "Sets the keyword itself: `X11Forwarding no`, `AllowAgentForwarding no` or `PermitTunnel no`. Safe: it does what DisableForwarding promises.",
    allowWhen: "The package is repaired and its revision could not be seen: name it with `--openssh`.",
  },
  references: [
    "sshd_config(5): DisableForwarding",
    "CVE-2025-32728; OpenSSH release notes of 10.0",
    "OpenSSH source: session.c, session_auth_agent_req and session_x11_req; serverloop.c, server_request_tun",
  ],
  check,
};
