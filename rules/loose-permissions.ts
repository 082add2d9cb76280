import { type Audit, atFile, type Draft, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const seen = new Set<string>();
  return (audit.facts?.loose ?? []).flatMap(({ file, path, because }) => {
    const place = atFile(audit.config, file);
    if (place === null || seen.has(path)) return [];
    seen.add(path);
    const what = path === file ? "this file" : `${path}, a folder above it,`;
    return [
      {
        message: `${what} can be changed by somebody else than root: ${because}`,
        place,
        permissionsOf: path,
        notes: ["whoever may write it decides who logs in, and how, at sshd's next start"],
      },
    ];
  });
}

export const rule: Rule = {
  id: "loose-permissions",
  title: "a configuration that others may write",
  severity: "high",
  docs: {
    what: "The configuration, a file that it includes, or a folder above them can be written by somebody else than root.",
    why: "sshd does not check the permissions of its configuration. Who can write it can open forwarding, let root in without a password, or run a command of his own at every login.",
    who: "Everybody on the server.",
    bad: "PermitRootLogin no\n",
    good: "PermitRootLogin no\n",
    fix: "None: chown root and chmod go-w, after you know why it is so.",
    allowWhen: "The group holds only people who are root anyway.",
  },
  references: ['sshd(8): FILES, "This file should be writable by root only."'],
  check,
};
