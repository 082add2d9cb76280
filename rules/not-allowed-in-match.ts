import {
  type Audit,
  type Draft,
  explainProblem,
  PROBLEMS,
  type Problem,
  type Rule,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const unknown = audit.config.problems.filter(({ code }) => code === "unknown-keyword");
  return audit.config.problems
    .filter(({ code }) => code === "not-allowed-in-match")
    .filter(({ place }) => !unknown.some((other) => startsAt(other, place)))
    .map((problem) => report(audit, problem));
}

/** Of an unknown word inside a Match sshd says both. */
function startsAt({ place }: Problem, { source, start }: Problem["place"]): boolean {
  return place.source === source && place.start === start;
}

function report(audit: Audit, problem: Problem): Draft {
  return {
    message: `sshd will not start with this file: ${explainProblem(audit.config, problem)}`,
    place: problem.place,
    notes: [
      "a Match block ends at the next Match line or at the end of its file, whatever the indentation",
      `sshd says: ${problem.sshdText}`,
    ],
  };
}

export const rule: Rule = {
  id: "not-allowed-in-match",
  title: "a global keyword inside a Match block",
  severity: "error",
  about: [PROBLEMS],
  docs: {
    what: "A keyword that holds for the whole server stands inside a Match block.",
    why: "sshd refuses the whole file and does not start. It happens when a line is appended at the end of a file: the end belongs to the last Match block. Only after `Match all` such keywords are taken.",
    who: "Everybody: there is no service.",
    bad: "Match User bob\n  X11Forwarding no\nPort 2222\n",
    good: "Port 2222\nMatch User bob\n  X11Forwarding no\n",
    fix: "None: move the line above the first Match.",
    allowWhen: "Never.",
  },
  references: [
    "sshd_config(5): Match",
    "OpenSSH source: servconf.c, process_server_config_line_depth (SSHCFG_MATCH)",
  ],
  check,
};
