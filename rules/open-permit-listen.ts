import {
  type Answer,
  type Audit,
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

const KEY = "permitlisten";

function check(audit: Audit): Draft[] {
  const open = openAnswers(audit.exposure, ["tcp-remote"]).filter((answer) =>
    limitsNothing(deciderOf(answer, KEY)),
  );
  const byDecider = groupBy(open, (answer) => deciderOf(answer, KEY)?.directive ?? null);
  return [...byDecider.values()].flatMap((answers) => report(audit, answers));
}

function limitsNothing(decider: Decider | null): boolean {
  if (decider === null || decider.directive === null) return false;
  return (decider.directive.values ?? []).some((item) => item === "any" || item.endsWith(":*"));
}

function report(audit: Audit, answers: readonly Answer[]): Draft[] {
  const [first] = answers;
  const decider = first === undefined ? null : deciderOf(first, KEY);
  const pointed = pointAt(audit.config, KEY, decider);
  if (first === undefined || decider === null || decider.directive === null || pointed === null) return [];
  return [
    {
      message: `${whoText(answers)} may listen on any port with -R: ${quoted(decider.directive)} names no port`,
      ...pointed,
      ...opened(audit, first, answers),
      notes: ["name the ports: PermitListen localhost:9000"],
    },
  ];
}

export const rule: Rule = {
  id: "open-permit-listen",
  title: "PermitListen that limits nothing",
  severity: "medium",
  about: ["permitlisten"],
  docs: {
    what: "A `PermitListen` line is there, and it lets a client listen on any port: `any`, `*`, or `HOST:*`.",
    why: "The line looks like a limit and is none. A client can take any free port of the server, with a root login also those below 1024.",
    who: "The connections that the line decides.",
    bad: "PermitListen localhost:*\n",
    good: "PermitListen localhost:9000\n",
    fix: "None: only you know the ports.",
    allowWhen: "Clients need ports that change, and a firewall guards them.",
  },
  references: ["sshd_config(5): PermitListen", "OpenSSH source: channels.c, check_rfwd_permission"],
  check,
};
