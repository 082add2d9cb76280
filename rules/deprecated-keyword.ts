import type { Audit, Draft, Problem, Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return audit.config.problems.flatMap(report);
}

function report({ code, weight, place, sshdText }: Problem): Draft[] {
  if (weight !== "warning" || code !== "deprecated-keyword") return [];
  const spelled = place.source.text.slice(place.span.start, place.span.end);
  return [
    {
      message: `"${spelled}" has no effect any more: this release of sshd ignores it`,
      place,
      label: "ignored",
      notes: [`sshd says: ${sshdText}`],
    },
  ];
}

export const rule: Rule = {
  id: "deprecated-keyword",
  title: "a keyword that sshd has given up",
  severity: "info",
  docs: {
    what: "sshd knows the keyword by name only, prints a warning, and ignores the line.",
    why: "The line promises something that no longer happens.",
    who: "Nobody.",
    bad: "UseLogin no\n",
    good: "PermitRootLogin no\n",
    fix: "None: delete the line, unless older servers read the same file.",
    allowWhen: "The file serves servers of several releases.",
  },
  references: ["OpenSSH source: servconf.c, the keyword table (sDeprecated)"],
  check,
};
