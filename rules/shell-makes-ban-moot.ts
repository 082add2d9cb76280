import { type Answer, type Audit, atTop, type Draft, deciderOf, type Rule } from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const closed = audit.exposure.answers.filter(
    ({ capability, allowed }) => capability === "tcp-local" && allowed === false,
  );
  const [first] = closed.filter((answer) => answer.condition === "everybody");
  const isRestricted = audit.config.directives.some(
    ({ keyword, guards }) => keyword === "forcecommand" && guards.length === 0,
  );
  if (first === undefined || isRestricted) return [];
  const place = closingPlace(first) ?? atTop(audit.config);
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

function closingPlace(answer: Answer): Draft["place"] | null {
  const decider = deciderOf(answer, "allowtcpforwarding") ?? deciderOf(answer, "disableforwarding");
  return decider?.directive?.valuePlace ?? null;
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
