import {
  type Answer,
  type Audit,
  CAPABILITIES,
  type Directive,
  type Draft,
  forwards,
  globalLine,
  groupBy,
  isMeant,
  lineText,
  openAnswers,
  opened,
  quoted,
  type Rule,
  reopenedBy,
  unsafeFix,
  whoText,
} from "../src/lint/rule.ts";

const KEY = "disableforwarding";

function check(audit: Audit): Draft[] {
  const open = openAnswers(audit.exposure, CAPABILITIES).filter(
    (answer) => !isMeant(audit.allowed, answer.capability),
  );
  return [...groupBy(open, (answer) => reopenedBy(audit.config, answer))].flatMap(([directive, answers]) =>
    directive?.keyword === KEY ? report(audit, directive, answers) : [],
  );
}

function report(audit: Audit, directive: Directive, answers: readonly Answer[]): Draft[] {
  const closing = globalLine(audit.config, KEY);
  const [first] = answers;
  if (closing === null || first === undefined) return [];
  return [
    {
      message: `${whoText(answers)} ${forwards(answers)}: ${quoted(directive)} takes back ${lineText(closing.place, directive.place)}`,
      place: directive.valuePlace,
      related: [
        ...directive.guards.slice(-1).map(({ place }) => ({ place, note: "the block that takes it back" })),
        { place: closing.place, note: `${quoted(closing)} holds for everybody else only` },
      ],
      ...opened(audit, first, answers),
      notes: [
        "with DisableForwarding no every other forwarding keyword counts again, most of them open by default",
      ],
      fix: opensMeant(audit, directive)
        ? null
        : unsafeFix("DisableForwarding yes", [{ kind: "replace-value", directive, value: "yes" }]),
    },
  ];
}

/** Then the line cannot go: what is too much is closed by the keywords of its own. */
function opensMeant(audit: Audit, directive: Directive): boolean {
  return openAnswers(audit.exposure, CAPABILITIES).some(
    (answer) => isMeant(audit.allowed, answer.capability) && reopenedBy(audit.config, answer) === directive,
  );
}

export const rule: Rule = {
  id: "disable-forwarding-reopened",
  title: "a Match block takes DisableForwarding back",
  severity: "high",
  docs: {
    what: "`DisableForwarding yes` stands outside every Match, and a Match block sets `DisableForwarding no`.",
    why: "DisableForwarding is no one-way door: a matching block takes it back like any other value, and then the defaults count again, which are open for TCP, unix sockets and agents. Who reads the global line believes that everything is closed.",
    who: "The connections that the block matches.",
    bad: "DisableForwarding yes\nMatch User *\n  DisableForwarding no\n",
    good: "DisableForwarding yes\nMatch User bob\n  AllowTcpForwarding yes\n",
    fix: "Sets `DisableForwarding yes` in the block. Unsafe: somebody opened this on purpose.",
    allowWhen:
      "The exception is wanted. Close what it does not need in the same block, and name the targets with `PermitOpen`.",
  },
  references: ["sshd_config(5): DisableForwarding", "OpenSSH source: servconf.c, copy_set_server_options"],
  check,
};
