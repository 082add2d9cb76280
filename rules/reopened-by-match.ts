import {
  type AllowedForwarding,
  type Answer,
  type Audit,
  bothAllow,
  CAPABILITIES,
  type Directive,
  type Draft,
  deciderOf,
  type Fix,
  forwards,
  globalLine,
  groupBy,
  isMeant,
  isUnlimited,
  lineText,
  nobodyLogsIn,
  openAnswers,
  opened,
  quoted,
  type Rule,
  reopenedBy,
  type Severity,
  setWhereDecided,
  TWO_WAY,
  unsafeFix,
  whoText,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const open = openAnswers(audit.exposure, CAPABILITIES).filter(
    (answer) => !isMeant(audit.allowed, answer.capability),
  );
  const byLine = groupBy(open, (answer) => reopenedBy(audit.config, answer));
  const drafts: Draft[] = [];
  for (const [directive, answers] of byLine) {
    if (directive !== null && directive.keyword !== "disableforwarding")
      drafts.push(...report(audit, directive, answers));
  }
  return drafts;
}

function report(audit: Audit, directive: Directive, answers: readonly Answer[]): Draft[] {
  const closing = globalLine(audit.config, directive.keyword);
  const [first] = answers;
  const block = directive.guards.at(-1);
  if (closing === null || first === undefined || block === undefined) return [];
  const nobody = answers.every(({ login }) => login === "impossible");
  return [
    {
      message: `${whoText(answers)} ${forwards(answers)}: this block opens what ${lineText(closing.place, directive.place)} closes`,
      severity: severityOf(answers),
      place: directive.valuePlace,
      related: [
        {
          place: block.place,
          note: "the block; where it matches, its values beat every line outside a Match",
        },
        { place: closing.place, note: `${quoted(closing)} holds for everybody else only` },
      ],
      ...opened(audit, first, answers),
      notes: [...(nobody ? [nobodyLogsIn(first)] : []), keepText(answers)],
      fix: fixOf(audit, directive, { closing, first }),
    },
  ];
}

/** A list of places limits what goes out alone. */
function keepText(answers: readonly Answer[]): string {
  const isWide = isUnlimited(answers.filter(({ capability }) => capability === "tcp-local"));
  const limit = isWide ? "limit it (PermitOpen HOST:PORT in the block), or " : "";
  return `to keep it, ${limit}say why above the line: # sshd-policy: allow reopened-by-match -- REASON`;
}

/** What the global line closes and nobody means to be open; where only sockets are too much, their own keyword. */
function fixOf(
  { allowed }: Audit,
  directive: Directive,
  { closing, first }: { readonly closing: Directive; readonly first: Answer },
): Fix | null {
  const own = directive.values?.[0] ?? "yes";
  const closed = withMeant(allowed, closing);
  const value = TWO_WAY.has(directive.keyword) ? bothAllow(closed, own) : closed;
  const takesMeant = directive.keyword === "permitopen" && allowed === "local";
  if (value === own || takesMeant)
    return setWhereDecided(deciderOf(first, SOCKETS.toLowerCase()), SOCKETS, "no");
  return unsafeFix(`${directive.line.keyword.value} ${value}`, [{ kind: "replace-value", directive, value }]);
}

const SOCKETS = "AllowStreamLocalForwarding";

/** The value of the line, and what --allow-forwarding leaves open. */
function withMeant(allowed: AllowedForwarding, { keyword, values }: Directive): string {
  const value = values?.[0] ?? "no";
  if (allowed === "none" || keyword !== "allowtcpforwarding" || value === allowed) return value;
  return value === "no" ? allowed : "yes";
}

/** As the rules about each kind weigh it. */
function severityOf(answers: readonly Answer[]): Severity {
  if (answers.every(({ login }) => login === "impossible")) return "low";
  const kinds = new Set(answers.map(({ capability }) => capability));
  const tcp = answers.filter(({ capability }) => capability.startsWith("tcp-"));
  if (tcp.length > 0 && isUnlimited(tcp)) return "high";
  return kinds.size === 1 && kinds.has("agent") ? "low" : "medium";
}

export const rule: Rule = {
  id: "reopened-by-match",
  title: "a Match block opens what the global part closes",
  severity: "high",
  about: ["match"],
  docs: {
    what: "A line outside every `Match` closes a kind of forwarding, and a line inside a `Match` block opens it again for the connections of that block.",
    why: "For the connections that a block matches, its values beat every value outside a Match, wherever that stands in the file and its drop-ins, and even one from sshd's command line. A reader, and many audit tools, see only the global `no`. `Match User *` or `Match all` turn the exception into the rule.",
    who: "The connections that the block matches, less those that an earlier matching block decides: the first matching block that sets the keyword wins.",
    bad: "AllowTcpForwarding no\nMatch Address *\n  AllowTcpForwarding local\n",
    good: "AllowTcpForwarding no\nMatch User !bob\n  AllowTcpForwarding yes\n",
    fix: "Gives the line in the block the value of the global line, without opening what the block closes. Unsafe: somebody opened this on purpose, and their connections lose it.",
    allowWhen:
      "The exception is wanted and as small as it can be: one group, known addresses, `PermitOpen` with the targets. Say who asked for it in the reason.",
  },
  references: [
    "sshd_config(5): Match",
    "OpenSSH source: servconf.c, parse_server_match_config and copy_set_server_options",
  ],
  check,
};
