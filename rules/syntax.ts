import type { Audit, Draft, Problem, Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return audit.config.problems.filter(isRefusal).map(report);
}

function isRefusal({ weight }: Problem): boolean {
  return weight === "fatal" || weight === "counted";
}

function report(problem: Problem): Draft {
  return {
    message: `sshd will not start with this file: ${problem.message}`,
    place: problem.place,
    notes: problem.sshdText === "" ? [] : [`sshd says: ${problem.sshdText}`],
  };
}

export const rule: Rule = {
  id: "syntax",
  title: "sshd refuses the file",
  severity: "error",
  docs: {
    what: "A line that sshd of this release does not accept: an unknown keyword, a value it does not know, an unclosed quote, a global keyword inside a Match block, an Include that cannot be read.",
    why: "sshd does not start with such a file. A running sshd that is told to reload it ends, and nobody can log in any more, except where the service tests the file first. The mistake may show only at the next restart.",
    who: "Everybody: there is no service.",
    bad: "AllowTcpForwarding off\n",
    good: "AllowTcpForwarding no\n",
    fix: "None: the message says what sshd would accept.",
    allowWhen: "Never for a file in use. For a template, name the release that will read it with --openssh.",
  },
  references: [
    "sshd(8): -t",
    "OpenSSH source: servconf.c, process_server_config_line_depth and parse_server_config_depth",
  ],
  check,
};
