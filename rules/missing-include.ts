import type { Audit, Draft, IncludeLine, Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return audit.config.includes.flatMap(report);
}

function report(include: IncludeLine): Draft[] {
  return include.targets
    .filter(({ pattern, matched }) => matched.length === 0 && !hasWildcard(pattern))
    .map(({ pattern, place, lookedFor }) => ({
      message: `Include ${pattern} reads nothing: ${explain(pattern, lookedFor)}, and sshd says nothing about it`,
      place,
      label: "not there",
      notes:
        pattern.startsWith("/") && lookedFor !== pattern
          ? ["this file is read as if its folder were /etc/ssh of the server that it is for"]
          : [],
    }));
}

/** A pattern with a wildcard that matches nothing is usual: an empty drop-in folder. */
function hasWildcard(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

function explain(pattern: string, lookedFor: string): string {
  if (pattern.startsWith("~")) return "sshd does not expand ~";
  if (/\{.*\}/.test(pattern)) return "sshd knows no {a,b}";
  return `there is no ${lookedFor}`;
}

export const rule: Rule = {
  id: "missing-include",
  title: "an Include of a file that is not there",
  severity: "medium",
  about: ["include"],
  docs: {
    what: "An `Include` names a file that does not exist. A pattern with a wildcard may match nothing; a plain name that matches nothing is a mistake.",
    why: "sshd goes on without a message, so the settings that were meant to be there are not. `~` and `{a,b}` are not expanded by sshd and match nothing, and a relative name is looked for in /etc/ssh, not beside the file.",
    who: "Everybody: what the file was to set keeps its default, and forwarding is open by default.",
    bad: "Include /etc/ssh/hardening.conf\n",
    good: "Include /etc/ssh/sshd_config.d/*.conf\n",
    fix: "None: put the file in its place, or delete the line.",
    allowWhen: "Another tool writes the file later, and its absence is harmless.",
  },
  references: [
    "sshd_config(5): Include",
    "OpenSSH source: servconf.c, process_server_config_line_depth (GLOB_NOMATCH)",
  ],
  check,
};
