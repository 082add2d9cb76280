import { type Audit, type Draft, introducedIn, PROBLEMS, type Problem, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return audit.config.problems.flatMap(report);
}

function report({ code, place, sshdText }: Problem): Draft[] {
  const spelled = place.source.text.slice(place.start, place.end);
  const since = code === "unknown-keyword" ? introducedIn(spelled) : null;
  if (since === null) return [];
  return [
    {
      message: `sshd will not start with this file: "${spelled}" exists from OpenSSH ${since} on, and this release is older`,
      place,
      notes: [`sshd says: ${sshdText}`],
    },
  ];
}

export const rule: Rule = {
  id: "keyword-newer-than-sshd",
  title: "a keyword of a newer release",
  severity: "error",
  about: [PROBLEMS],
  docs: {
    what: "The file uses a keyword that this release of sshd does not know yet.",
    why: "To an older sshd it is an unknown word: sshd refuses the whole file and does not start. That happens when a configuration is copied to an older system, or when a package is downgraded.",
    who: "Everybody: there is no service.",
    bad: "RefuseConnection no\n",
    good: "DisableForwarding yes\n",
    fix: "None: delete the line, or bring sshd up to date. `--openssh` names another release to judge by.",
    allowWhen:
      "The file is meant for a newer server than the one that it is judged by: say so with `--openssh`.",
  },
  references: ["OpenSSH source: servconf.c, the keyword tables of the releases 7.4 to 10.6"],
  check,
};
