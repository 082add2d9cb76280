import {
  type Account,
  type Audit,
  affectedBy,
  atTop,
  type Capability,
  type Draft,
  forwards,
  limitOfPlaces,
  listed,
  opened,
  type Rule,
} from "../src/lint/rule.ts";

const FORWARDS: readonly Capability[] = ["tcp-local", "tcp-remote", "unix-local", "unix-remote"];
/** Accounts of people and services begin there (login.defs(5), UID_MIN); nobody is no account to log in to. */
const FIRST_USER = 1000;
const NOBODY = 65534;

function check(audit: Audit): Draft[] {
  const open = (audit.accounts ?? []).filter(isShut).flatMap((account) => {
    const answers = audit.openTo(account, FORWARDS) ?? [];
    return answers.length === 0 ? [] : [{ account, answers }];
  });
  const [first] = open;
  const [answer] = first?.answers ?? [];
  const top = atTop(audit.config);
  if (first === undefined || answer === undefined || top === null) return [];
  const names = listed(open.map(({ account }) => account.name));
  return [
    {
      message: `${names}: the shell ${first.account.shell} refuses a session, and the account ${forwards(first.answers)}${limitOfPlaces(first.answers)}`,
      place: answer.decidedBy[0]?.directive?.place ?? top,
      ...opened(audit, answer, first.answers),
      affected: affectedBy(open.flatMap(({ answers }) => answers)),
      notes: [
        "ssh -N asks for no shell; a password or a key is enough. DenyUsers or AllowTcpForwarding no in a Match block end it",
      ],
    },
  ];
}

function isShut({ uid, shell }: Account): boolean {
  return uid >= FIRST_USER && uid !== NOBODY && /\/(?:nologin|false)$/.test(shell);
}

export const rule: Rule = {
  id: "nologin-still-forwards",
  title: "an account without a shell that can tunnel",
  severity: "medium",
  docs: {
    what: "An account of the server (user id 1000 and above) has `nologin` or `false` as its shell, and may still forward TCP or unix sockets.",
    why: "The shell is never asked: `ssh -N -L ...` opens no session. An account that was meant for mail or files becomes a way into the network as soon as it has a password or a key.",
    who: "The accounts that the finding names, if they can authenticate.",
    bad: "PermitRootLogin no\n",
    good: "AllowTcpForwarding no\n",
    fix: "None of its own: closing TCP forwarding, or the login, ends it.",
    allowWhen: "The account exists for tunnels and nothing else. Limit it with PermitOpen.",
  },
  references: [
    "sshd_config(5): AllowTcpForwarding",
    "nologin(8)",
    "OpenSSH source: session.c, do_child (the shell is run for sessions only)",
  ],
  check,
};
