import {
  type Audit,
  type Draft,
  groupBy,
  listed,
  PROBLEMS,
  type Problem,
  type Rule,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const deprecated = audit.config.problems.filter(
    ({ code, weight }) => weight === "warning" && code === "deprecated-keyword",
  );
  return [...groupBy(deprecated, ({ place }) => place.source).values()].flatMap(report);
}

/** One finding a file: old files hold a dozen of them. */
function report(problems: readonly Problem[]): Draft[] {
  const [first, ...others] = problems;
  if (first === undefined) return [];
  const words = problems.map(({ place }) => place.source.text.slice(place.start, place.end));
  return [
    {
      message: `${listed(words)} ${words.length === 1 ? "has" : "have"} no effect any more: this release of sshd ignores ${words.length === 1 ? "it" : "them"}`,
      place: first.place,
      label: "ignored",
      related: others.map(({ place }) => ({ place, note: "ignored, too" })),
    },
  ];
}

export const rule: Rule = {
  id: "deprecated-keyword",
  title: "a keyword that sshd has given up",
  severity: "info",
  about: [PROBLEMS],
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
