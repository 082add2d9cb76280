import {
  type Answer,
  type Audit,
  comparedItem,
  type Decider,
  type Draft,
  deciderOf,
  groupBy,
  openAnswers,
  opened,
  pointAt,
  quoted,
  type Rule,
  whoText,
} from "../src/lint/rule.ts";

const KEY = "permitopen";

function check(audit: Audit): Draft[] {
  const open = openAnswers(audit.exposure, ["tcp-local"]).filter(
    (answer) => wideItems(deciderOf(answer, KEY)).length > 0,
  );
  const byDecider = groupBy(open, (answer) => deciderOf(answer, KEY)?.directive ?? null);
  return [...byDecider.values()].flatMap((answers) => report(audit, answers));
}

/** Items of a written list that any host, or any host and port, fits. */
function wideItems(decider: Decider | null): readonly string[] {
  if (decider === null || decider.directive === null) return [];
  return (decider.directive.values ?? [])
    .map(comparedItem)
    .filter((item) => item === "any" || item.startsWith("*:"));
}

function report(audit: Audit, answers: readonly Answer[]): Draft[] {
  const [first] = answers;
  const decider = first === undefined ? null : deciderOf(first, KEY);
  const pointed = pointAt(audit.config, KEY, decider);
  if (first === undefined || decider === null || decider.directive === null || pointed === null) return [];
  const items = wideItems(decider);
  const everything = items.some((item) => item === "any" || item === "*:*");
  const reach = everything
    ? "any host and port"
    : `any host on port ${items.map((item) => item.slice(2)).join(", ")}`;
  return [
    {
      message: `${whoText(answers)} may tunnel to ${reach}: ${quoted(decider.directive)} ${everything ? "limits nothing" : "names no host"}`,
      severity: everything ? "medium" : "low",
      ...pointed,
      ...opened(audit, first, answers),
      notes: ["name the targets: PermitOpen db.internal:5432 web.internal:443"],
    },
  ];
}

export const rule: Rule = {
  id: "open-permit-open",
  title: "PermitOpen that limits nothing",
  severity: "medium",
  about: ["permitopen"],
  docs: {
    what: "A `PermitOpen` line is there, and it lets a client reach any host: `any`, `*:*`, or `*:PORT`.",
    why: "The line looks like a limit and is none. Inside a Match block it also takes back a list that the global part sets.",
    who: "The connections that the line decides.",
    bad: "AllowTcpForwarding yes\nPermitOpen *:*\n",
    good: "AllowTcpForwarding yes\nPermitOpen db.internal:5432\n",
    fix: "None: only you know the targets. Names are compared as text with what the client asks for: `localhost:80` does not cover `127.0.0.1:80`.",
    allowWhen: "The line undoes a narrower list on purpose, for a jump host that everybody uses.",
  },
  references: ["sshd_config(5): PermitOpen", "OpenSSH source: channels.c, open_match"],
  check,
};
