import { type Audit, type Directive, type Draft, openAnswers, quoted, type Rule } from "../src/lint/rule.ts";

const LISTS = { permitopen: "tcp-local", permitlisten: "tcp-remote" } as const;

function check(audit: Audit): Draft[] {
  const used = new Set(
    openAnswers(audit.everything, ["tcp-local", "tcp-remote"]).flatMap(({ decidedBy }) =>
      decidedBy.map(({ directive }) => directive),
    ),
  );
  return audit.lineUses.flatMap(({ directive, decides, witness }) => {
    const isList = directive.keyword === "permitopen" || directive.keyword === "permitlisten";
    if (!isList || decides !== true || used.has(directive) || !grants(directive)) return [];
    const capability = LISTS[directive.keyword];
    return [report(directive, capability, witness === null ? null : audit.closing(capability, witness))];
  });
}

/** `none` closes, and there is nothing to be dead. */
function grants({ values, origin }: Directive): boolean {
  return origin === "file" && values !== null && values[0] !== "none";
}

function report(
  directive: Directive,
  capability: "tcp-local" | "tcp-remote",
  closing: Directive | null,
): Draft {
  const direction = capability === "tcp-local" ? "outward (-L)" : "inward (-R)";
  return {
    message: `${quoted(directive)} grants nothing: forwarding ${direction} is closed for everybody it is about`,
    place: directive.place,
    label: "limits what is closed already",
    related: closing === null ? [] : [{ place: closing.place, note: `${quoted(closing)} closes it` }],
    notes: [
      `${directive.line.keyword.value} only narrows what AllowTcpForwarding allows: if the targets are to be reachable, set AllowTcpForwarding ${capability === "tcp-local" ? "local" : "remote"} in the same place`,
    ],
  };
}

export const rule: Rule = {
  id: "dead-permit-open",
  title: "PermitOpen where forwarding is closed",
  severity: "low",
  about: ["permitopen", "permitlisten"],
  docs: {
    what: "A `PermitOpen` or `PermitListen` line names targets, and forwarding of that direction is closed for all connections that the line is about.",
    why: "These lists never grant anything. Whoever wrote the line wanted the targets to be reachable, or left it behind.",
    who: "The connections of the block: they reach none of the targets.",
    bad: "AllowTcpForwarding no\nPermitOpen db:5432\n",
    good: "AllowTcpForwarding local\nPermitOpen db:5432\n",
    fix: "None: either the list or the closing line is wrong.",
    allowWhen: "The list is kept for the day when forwarding is opened again.",
  },
  references: ["sshd_config(5): PermitOpen", "OpenSSH source: auth-options.c and channels.c, open_match"],
  check,
};
