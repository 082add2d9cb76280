import {
  type Answer,
  type Audit,
  type Change,
  comparedItem,
  type Decider,
  type Draft,
  deciderOf,
  type Fix,
  forwards,
  groupBy,
  isUnlimited,
  openAnswers,
  opened,
  pointAt,
  quoted,
  type Rule,
  safeFix,
  whoText,
} from "../src/lint/rule.ts";

const LISTS: Readonly<Record<string, string>> = { "tcp-local": "permitopen", "tcp-remote": "permitlisten" };

function check(audit: Audit): Draft[] {
  const beyond = audit.intended?.beyond ?? [];
  const byLine = groupBy(
    beyond.map((excess) => ({ ...excess, decider: blamed(excess.answer, excess.of) })),
    ({ decider, answer }) => decider?.directive ?? `${decider?.keyword} ${answer.condition}`,
  );
  return [...byLine.values()].flatMap((group) => {
    const decider = group[0]?.decider ?? null;
    return report(
      audit,
      decider,
      group.map(({ answer }) => answer),
      group.map((excess) => excess.of),
    );
  });
}

/** Where only some destinations are too much, the list; else the line that opens. */
function blamed(answer: Answer, of: Answer): Decider | null {
  const list = deciderOf(answer, LISTS[answer.capability] ?? "");
  const isAboutItems = itemsOf(answer).length < itemsOf(of).length;
  return isAboutItems && list !== null ? list : (answer.decidedBy[0] ?? null);
}

function itemsOf({ destinations, listen }: Answer): readonly string[] {
  return listen?.addresses ?? destinations;
}

function report(
  audit: Audit,
  decider: Decider | null,
  answers: readonly Answer[],
  wholes: readonly Answer[],
): Draft[] {
  const [first] = answers;
  const pointed = decider === null ? null : pointAt(audit.config, decider.keyword, decider);
  if (first === undefined || decider === null || pointed === null) return [];
  const because =
    decider.directive === null
      ? `the default of ${decider.keyword} allows it`
      : `${quoted(decider.directive)} allows it`;
  return [
    {
      message: `${whoText(answers)} ${forwards(answers)}, beyond what the policy file allows there: ${because}`,
      severity: isUnlimited(answers) ? "high" : "medium",
      ...pointed,
      ...opened(audit, first, answers),
      fix: fixOf(audit, decider, answers, wholes),
    },
  ];
}

/** A list without the destinations that are too much, where nothing else depends on the line. */
function fixOf(
  audit: Audit,
  decider: Decider,
  answers: readonly Answer[],
  wholes: readonly Answer[],
): Fix | null {
  const { directive } = decider;
  const [answer] = answers;
  if (directive === null || answer === undefined || LISTS[answer.capability] !== decider.keyword) return null;
  const users = openAnswers(audit.everything, [answer.capability]).filter(({ decidedBy }) =>
    decidedBy.some((one) => one.directive === directive),
  );
  if (answers.length !== 1 || users.length !== 1 || users[0] !== wholes[0] || directive.origin !== "file")
    return null;
  const extra = new Set(itemsOf(answer));
  const value = (directive.values ?? []).filter((item) => !extra.has(comparedItem(item))).join(" ");
  const changes: readonly Change[] = [{ kind: "replace-value", directive, value }];
  return value === "" ? null : safeFix(`${directive.line.keyword.value} ${value}`, changes);
}

export const rule: Rule = {
  id: "beyond-policy",
  title: "more is open than the policy file allows",
  severity: "high",
  docs: {
    what: "The policy file (`.sshd-policy.yaml`) allows a kind of forwarding for some of the connections that a line opens it for, or to some of the destinations. What is left over is named, with a witness. Where the file allows nothing of what a line opens, the rule about that kind of forwarding reports it.",
    why: "A permission was given for certain people and targets; the configuration gives more.",
    who: "The connections that the line opens it for, less those of the entries of the policy file.",
    policy:
      "version: 1\nallow:\n  - users: deploy\n    capability: tcp-local\n    to: db:5432\n    reason: migrations\n",
    bad: "DisableForwarding yes\nMatch User deploy\n  DisableForwarding no\n  AllowTcpForwarding local\n  PermitOpen db:5432 cache:6379\n",
    good: "DisableForwarding yes\nMatch User deploy\n  DisableForwarding no\n  AllowTcpForwarding local\n  PermitOpen db:5432\n",
    fix: "Takes the destinations that are not allowed out of the list. Safe: the policy file does not allow them. Where connections are too many, there is none: write a Match block for those that are meant.",
    allowWhen: "Never: add an entry to the policy file instead.",
  },
  references: ["docs/policy-file.md"],
  check,
};
