import {
  type Answer,
  type Audit,
  affectedBy,
  type Capability,
  type Draft,
  forwards,
  grantText,
  isNone,
  type LineUse,
  quoted,
  type Rule,
} from "../src/lint/rule.ts";

const FORWARDS: readonly Capability[] = ["tcp-local", "tcp-remote", "unix-local", "unix-remote"];

const RESTRICTS: ReadonlySet<string> = new Set(["forcecommand", "chrootdirectory"]);

function check(audit: Audit): Draft[] {
  const uses = audit.lineUses.filter(
    ({ directive }) => RESTRICTS.has(directive.keyword) && !isNone(directive),
  );
  // a chroot beside a forced command would say the same twice
  const withCommand = new Set(
    uses
      .filter(({ directive }) => directive.keyword === "forcecommand")
      .map(({ directive }) => directive.guards.at(-1)),
  );
  return uses
    .filter(
      ({ directive }) => directive.keyword === "forcecommand" || !withCommand.has(directive.guards.at(-1)),
    )
    .flatMap((use) => report(audit, use));
}

function report(audit: Audit, { directive, decides, witness }: LineUse): Draft[] {
  if (decides !== true || witness === null || directive.origin === "option") return [];
  const open = FORWARDS.flatMap((capability) => audit.at(capability, witness) ?? [])
    .filter(isOpen)
    .filter((answer) => !isDeliberate(answer, directive));
  const [first] = open;
  if (first === undefined) return [];
  return [
    {
      message: `${quoted(directive)} does not stop forwarding: the same logins ${forwards(open)}`,
      place: directive.place,
      label: "limits commands and files, not tunnels",
      witness,
      grant: grantText(open),
      capability: first.capability,
      login: first.login,
      affected: affectedBy(open),
      notes: [
        `a forward needs no command (ssh -N): what stops it is AllowTcpForwarding no${directive.guards.length === 0 ? "" : " in this block"}`,
      ],
    },
  ];
}

/** Forwarding that the same block opens is what the account is for. */
function isDeliberate(answer: Answer, { guards }: LineUse["directive"]): boolean {
  const block = guards.at(-1);
  return block !== undefined && answer.decidedBy.some(({ directive }) => directive?.guards.at(-1) === block);
}

function isOpen({ allowed }: Answer): boolean {
  return allowed !== false;
}

export const rule: Rule = {
  id: "forced-command-still-forwards",
  title: "a forced command or chroot that can still tunnel",
  severity: "medium",
  about: ["forcecommand", "chrootdirectory"],
  docs: {
    what: "`ForceCommand` or `ChrootDirectory` restricts a login, such as sftp-only or git-only accounts, and the same login may still forward TCP or unix sockets.",
    why: "A forward needs no command and no shell: `ssh -N -L ...` runs none. An account for file transfer becomes a way into the network. internal-sftp, a chroot, PermitTTY no and a nologin shell make no difference.",
    who: "The logins that the line restricts.",
    bad: "AllowTcpForwarding yes\nMatch Group sftponly\n  ForceCommand internal-sftp\n",
    good: "AllowTcpForwarding yes\nMatch Group sftponly\n  ForceCommand internal-sftp\n  AllowTcpForwarding no\n",
    fix: "None here: add `AllowTcpForwarding no` to the block, or close forwarding for everybody.",
    allowWhen: "The account is meant to tunnel and to do nothing else. Limit it with `PermitOpen`.",
  },
  references: [
    "sshd_config(5): ForceCommand and ChrootDirectory",
    "OpenSSH source: serverloop.c, server_request_direct_tcpip",
  ],
  check,
};
