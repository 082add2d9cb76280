import {
  type Audit,
  type Draft,
  explainProblem,
  groupBy,
  introducedIn,
  type Place,
  PROBLEMS,
  type Problem,
  type Rule,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const refusals = audit.config.problems.filter(isRefusal);
  return [...groupBy(refusals, ({ place }) => place.source).values()].flatMap((inFile) =>
    [...groupBy(inFile, ({ place }) => place.start).values()].flatMap((problems) => report(audit, problems)),
  );
}

function isRefusal({ weight, code, place }: Problem): boolean {
  if (code === "not-allowed-in-match") return false;
  return (weight === "fatal" || weight === "counted") && !(code === "unknown-keyword" && isNewer(place));
}

/** A keyword of a newer release is a finding of keyword-newer-than-sshd. */
function isNewer({ source, start, end }: Place): boolean {
  return introducedIn(source.text.slice(start, end)) !== null;
}

/** sshd may print two messages about one word: the first says what is wrong. */
function report(audit: Audit, problems: readonly Problem[]): Draft[] {
  const [first] = problems;
  if (first === undefined) return [];
  return [
    {
      message: `sshd will not start with this file: ${explainProblem(audit.config, first)}`,
      place: first.place,
      notes: [...new Set(problems.map(({ sshdText }) => sshdText))]
        .filter((text) => text !== "")
        .map((text) => `sshd says: ${text}`),
    },
  ];
}

export const rule: Rule = {
  id: "syntax",
  title: "sshd refuses the file",
  severity: "error",
  about: [PROBLEMS],
  docs: {
    what: "A line that sshd of this release does not accept: an unknown keyword, a value it does not know, an unclosed quote, an Include that cannot be read.",
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
