import {
  type Audit,
  DEAD_LINES,
  type Draft,
  type LineUse,
  lineText,
  quoted,
  type Rule,
} from "../src/lint/rule.ts";

/** What these decide is who gets in and what they may do: a dead line among them misleads most. */
const WEIGHTY: ReadonlySet<string> = new Set([
  "allowtcpforwarding",
  "allowstreamlocalforwarding",
  "allowagentforwarding",
  "disableforwarding",
  "gatewayports",
  "permitopen",
  "permitlisten",
  "permittunnel",
  "x11forwarding",
  "permitrootlogin",
  "passwordauthentication",
  "kbdinteractiveauthentication",
  "pubkeyauthentication",
  "permitemptypasswords",
  "authenticationmethods",
  "forcecommand",
  "chrootdirectory",
]);

/** Several lines of these are findings of duplicate-permit-open. */
const OWN_RULE: ReadonlySet<string> = new Set(["permitopen", "permitlisten"]);

function check(audit: Audit): Draft[] {
  return audit.lineUses.flatMap((use) => (use.decides === false ? report(use) : []));
}

function report({ directive, shadowedBy }: LineUse): Draft[] {
  const [first] = shadowedBy;
  if (first === undefined || directive.origin === "option") return [];
  // a finding of option-overrides-file
  if (first.origin === "option") return [];
  if (OWN_RULE.has(directive.keyword) && first.guards.at(-1) === directive.guards.at(-1)) return [];
  const same = (first.values ?? []).join(" ") === (directive.values ?? []).join(" ");
  const winner = lineText(first.place, directive.place);
  // servconf.c copy_set_server_options: what blocks set goes over what stands outside of them
  const isOverridden = first.guards.length > 0 && directive.guards.length === 0;
  const reason = isOverridden ? "what a Match block sets goes first" : "the first value wins";
  const weight = WEIGHTY.has(directive.keyword) ? "medium" : "low";
  return [
    {
      message: same
        ? `${quoted(directive)} changes nothing: ${winner} has set the same already`
        : `${quoted(directive)} has no effect: ${winner} sets ${quoted(first)}, and ${reason}`,
      severity: same ? "info" : weight,
      place: directive.place,
      label: "never counts",
      related: shadowedBy.slice(0, 3).map(({ place }) => ({ place, note: "this one counts" })),
      notes: same ? [] : ["sshd says nothing about it: keep the line that was meant, and delete the other"],
    },
  ];
}

export const rule: Rule = {
  id: "shadowed-directive",
  title: "a line that never counts",
  severity: "medium",
  about: [DEAD_LINES],
  docs: {
    what: "Another line has already set the keyword for every connection that this line could decide.",
    why: "sshd keeps the first value it reads, keyword by keyword, and says nothing about the later ones. Whoever appends a line at the end of the file, or in the main file below an Include, believes that it works.",
    who: "Nobody is treated as this line says.",
    bad: "AllowTcpForwarding yes\nAllowTcpForwarding no\n",
    good: "AllowTcpForwarding no\nMatch User bob\n  AllowTcpForwarding yes\n",
    fix: "None: only you know which of the lines was meant. Keep that one and delete the other.",
    allowWhen: "A configuration management tool owns one of the files and repeats a value on purpose.",
  },
  references: [
    'sshd_config(5): "Unless noted otherwise, for each keyword, the first obtained value will be used."',
    "OpenSSH source: servconf.c, process_server_config_line_depth",
  ],
  check,
};
