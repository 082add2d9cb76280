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
  const byLine = groupBy(openAnswers(audit.exposure, CAPABILITIES), (answer) =>
    reopenedBy(audit.config, answer),
  );
  return [...byLine].flatMap(([directive, answers]) => {
    const unwanted = answers.filter(({ capability }) => !isMeant(audit.allowed, capability));
    // what is meant needs the line: then what is too much is closed by the keywords of its own
    const mayGo = unwanted.length === answers.length;
    return directive?.keyword === KEY ? report(audit, directive, { answers: unwanted, mayGo }) : [];
  });
}

interface TakenBack {
  readonly answers: readonly Answer[];
  /** the line opens nothing else */
  readonly mayGo: boolean;
}

function report(audit: Audit, directive: Directive, { answers, mayGo }: TakenBack): Draft[] {
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
      fix: mayGo
        ? unsafeFix("DisableForwarding yes", [{ kind: "replace-value", directive, value: "yes" }])
        : null,
    },
  ];
}

export const rule: Rule = {
  id: "disable-forwarding-reopened",
  title: "a Match block takes DisableForwarding back",
  severity: "high",
  about: ["disableforwarding"],
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
