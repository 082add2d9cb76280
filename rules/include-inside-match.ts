import { type Audit, type Draft, type IncludeLine, quoted, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return audit.config.includes.flatMap(report);
}

function report({ line, place, guards }: IncludeLine): Draft[] {
  const block = guards.at(-1);
  if (block === undefined) return [];
  const everybody = guards.every((guard) => guard.static);
  return [
    {
      message: everybody
        ? `${quoted({ line, place })} stands inside ${quoted(block)}: its values beat every line outside a Match, wherever that stands`
        : `${quoted({ line, place })} holds only inside ${quoted(block)}: it belongs to that block`,
      severity: everybody ? "info" : "medium",
      place,
      related: [{ place: block.place, note: "the block around it" }],
      notes: [
        "a Match block ends at the next Match line or at the end of its file, whatever the indentation",
      ],
    },
  ];
}

export const rule: Rule = {
  id: "include-inside-match",
  title: "an Include inside a Match block",
  severity: "medium",
  about: ["include"],
  docs: {
    what: "An `Include` line stands behind a `Match` line of the same file, so that everything in the included files holds only for the connections of that block.",
    why: "It is easily done: an Include appended at the end of a file belongs to the last Match block. The drop-ins then hold for a few connections, and for everybody else the defaults count. Global keywords in them make sshd refuse the file.",
    who: "Everybody outside the block: nothing of the included files counts for them.",
    bad: "Match User bob\n  X11Forwarding no\nInclude /etc/ssh/sshd_config.d/*.conf\n",
    good: "Include /etc/ssh/sshd_config.d/*.conf\nMatch User bob\n  X11Forwarding no\n",
    fix: "None: move the Include above the first Match. That changes what it sets for whom.",
    allowWhen: "The included file holds the settings of that block by intention.",
  },
  references: [
    "sshd_config(5): Include",
    "OpenSSH source: servconf.c, process_server_config_line_depth (sInclude)",
  ],
  check,
};
