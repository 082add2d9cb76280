import { type Audit, type Draft, PROBLEMS, type Problem, type Rule } from "../src/lint/rule.ts";

const CODES: Readonly<Record<string, string>> = {
  "unclosed-quote-keyword": "sshd drops this line without a message: a quote in the keyword is never closed",
  "leading-equals": "sshd drops this line without a message: it begins with ==",
  "hidden-bytes":
    "sshd does not see the rest of this line, and the next line is glued to it: a NUL byte stands here",
  "unclosed-quote-dropped": "sshd drops the rest of this line without a message: a quote is never closed",
};

function check(audit: Audit): Draft[] {
  return audit.config.problems.flatMap(report);
}

function report({ code, weight, place }: Problem): Draft[] {
  const message = CODES[code];
  if (message === undefined || weight !== "silent") return [];
  const text = place.source.text.slice(place.start, place.end);
  if (/^=[= \t\r]*$/.test(text))
    return [
      {
        message: "sshd drops this line of = signs without a message",
        severity: "info",
        place,
        notes: ["put # in front of it"],
      },
    ];
  return [
    {
      message,
      place,
      label: "not read by sshd",
      notes: ["if it was a Match line, the lines below it hold for everybody"],
    },
  ];
}

export const rule: Rule = {
  id: "vanished-line",
  title: "a line that sshd does not see",
  severity: "high",
  about: [PROBLEMS],
  docs: {
    what: "A NUL byte, a quote in the keyword that is never closed, or `==` in front make a line vanish: sshd accepts the file and says nothing. Up to 8.6 an unclosed quote later in a line drops its rest.",
    why: "What the line was to set keeps its old value. A vanished `Match` line makes the lines below it global. Editors and other audit tools show the line as if it counted.",
    who: "Everybody: the line has no effect at all.",
    bad: 'AllowTcp"Forwarding no\n',
    good: "AllowTcpForwarding no\n",
    fix: "None: delete the quote or the byte, after you know what the line was to say.",
    allowWhen: "Never.",
  },
  references: [
    "OpenSSH source: misc.c, strdelim_internal; servconf.c, load_server_config and process_server_config_line_depth",
  ],
  check,
};
