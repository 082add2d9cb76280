import {
  type Audit,
  type Directive,
  type Draft,
  linesOf,
  type Rule,
  whyNobodyMeant,
} from "../src/lint/rule.ts";

const LISTS: readonly string[] = ["allowusers", "denyusers", "allowgroups", "denygroups"];

function check(audit: Audit): Draft[] {
  return LISTS.flatMap((keyword) => linesOf(audit.config, keyword)).flatMap((directive) =>
    directive.values === null ? [] : report(audit, directive),
  );
}

function report({ config }: Audit, { keyword, args, line, place }: Directive): Draft[] {
  return args.flatMap(({ value, start, end }) => {
    // up to 8.6 an empty one ends the list
    const why = value === "" ? null : whyNobodyMeant(config, keyword, value);
    if (why === null) return [];
    return [
      {
        message: `"${value}" in ${line.keyword.value} fits nobody whom it was written for: ${why}`,
        place: { source: place.source, start, end },
        label: "fits nobody",
      },
    ];
  });
}

export const rule: Rule = {
  id: "never-matching-login-item",
  title: "an item of AllowUsers or DenyUsers that fits nobody",
  severity: "medium",
  about: LISTS,
  docs: {
    what: "An item of `AllowUsers`, `DenyUsers`, `AllowGroups` or `DenyGroups` is not what it looks like: names joined with commas, a name behind `!`, a host name behind `@` while sshd does not look names up (`UseDNS no`, the default).",
    why: "The items of these lines stand between blanks, and sshd compares each as one name with wildcards. `DenyUsers mallory,eve` keeps out an account that is called `mallory,eve` and nobody else; `AllowUsers * !guest` lets `guest` in. sshd accepts both lines without a message.",
    who: "The people that the item was written for: whom `DenyUsers` was to keep out can log in and forward, whom `AllowUsers` was to let in cannot.",
    bad: "DenyUsers mallory,eve\n",
    good: "DenyUsers mallory eve\n",
    fix: "None: who was meant is yours to say. Write a blank for the comma; for everybody but one, deny that one with `DenyUsers`.",
    allowWhen: "An account with that very name exists.",
  },
  references: [
    'sshd_config(5): AllowUsers, "a list of user name patterns, separated by spaces"',
    "OpenSSH source: auth.c, allowed_user; match.c, match_user; groupaccess.c, ga_match",
  ],
  check,
};
