import {
  type Audit,
  DEAD_LINES,
  type Draft,
  type LineUse,
  lineText,
  quoted,
  type Rule,
} from "../src/lint/rule.ts";

const LISTS: ReadonlySet<string> = new Set(["permitopen", "permitlisten"]);

function check(audit: Audit): Draft[] {
  return audit.lineUses.flatMap((use) =>
    use.decides === false && LISTS.has(use.directive.keyword) ? report(use) : [],
  );
}

function report({ directive, shadowedBy }: LineUse): Draft[] {
  const first = shadowedBy.find((line) => line.guards.at(-1) === directive.guards.at(-1));
  if (first === undefined || directive.origin === "option") return [];
  const name = directive.line.keyword.value;
  return [
    {
      message: `${quoted(directive)} has no effect: only the first ${name} line counts, ${lineText(first.place, directive.place)}`,
      place: directive.place,
      label: "never counts",
      related: [{ place: first.place, note: `${quoted(first)} is the whole list` }],
      notes: [
        `to allow both, write all targets on one line: ${name} ${[...(first.values ?? []), ...(directive.values ?? [])].join(" ")}`,
      ],
    },
  ];
}

export const rule: Rule = {
  id: "duplicate-permit-open",
  title: "a second PermitOpen line is ignored",
  severity: "medium",
  about: [DEAD_LINES],
  docs: {
    what: "Several `PermitOpen` or `PermitListen` lines stand in the same block, or outside every Match.",
    why: "sshd takes the first line as the whole list and ignores the others without a message. It is the most usual mistake with these keywords: the targets of the second line are refused, and if the first line was the wider one, the limit does not hold.",
    who: "The connections of the block.",
    bad: "PermitOpen db:5432\nPermitOpen cache:6379\n",
    good: "PermitOpen db:5432 cache:6379\n",
    fix: "None: whether the targets are to be joined or the line deleted is your decision. The finding shows the joined line.",
    allowWhen: "Never: delete the line that does not count.",
  },
  references: [
    'sshd_config(5): PermitOpen, "Multiple forwards may be specified by separating them with whitespace."',
    "OpenSSH source: servconf.c, process_server_config_line_depth (sPermitOpen)",
  ],
  check,
};
