import { type Audit, atTop, closes, type Draft, linesOf, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const isOpen = audit.everything.answers.some(
    ({ capability, allowed }) => capability === "tcp-local" && allowed !== false,
  );
  const isRestricted = linesOf(audit.config, "forcecommand").some(({ guards }) => guards.length === 0);
  if (isOpen || isRestricted) return [];
  const place = closingPlace(audit) ?? atTop(audit.config);
  if (place === null) return [];
  return [
    {
      message:
        "forwarding is closed for everybody, and whoever has a shell can still run a forwarder of his own",
      place,
      notes: ["sshd_config(5) says so, too; ForceCommand, a chroot or no shell at all close that way"],
    },
  ];
}

/** The global line that closes; null: Match blocks do it together. */
function closingPlace({ config, lineUses }: Audit): Draft["place"] | null {
  const closing = lineUses.find(
    ({ directive, decides }) =>
      decides !== false &&
      directive.guards.length === 0 &&
      // a list that closes says nothing of forwarding
      directive.keyword !== "permitopen" &&
      closes(config, directive, "tcp-local"),
  );
  return closing?.directive.valuePlace ?? null;
}

export const rule: Rule = {
  id: "shell-makes-ban-moot",
  title: "users with a shell can forward without sshd",
  severity: "info",
  docs: {
    what: "TCP forwarding is closed for everybody, and logins get a shell.",
    why: 'A user with a shell can run any program, one that copies between sockets among them (`nc`, `socat`, a second sshd). Closing forwarding stops the convenient way and careless users, no determined one. The manual says: "disabling TCP forwarding does not improve security unless users are also denied shell access, as they can always install their own forwarders".',
    who: "Every login with a shell.",
    bad: "AllowTcpForwarding no\n",
    good: "AllowTcpForwarding no\nForceCommand internal-sftp\n",
    fix: "None.",
    allowWhen: "Always, once it is known: this finding is a reminder and belongs to the strict profile.",
  },
  references: ["sshd_config(5): AllowTcpForwarding"],
  strict: true,
  check,
};
