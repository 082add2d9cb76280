import {
  type Account,
  type Audit,
  affectedBy,
  type Capability,
  type Connection,
  type Draft,
  forwards,
  grantText,
  listed,
  type Rule,
} from "../src/lint/rule.ts";

const FORWARDS: readonly Capability[] = ["tcp-local", "tcp-remote", "unix-local", "unix-remote"];
/** Accounts of people and services begin there (login.defs(5), UID_MIN); nobody is no account to log in to. */
const FIRST_USER = 1000;
const NOBODY = 65534;

function check(audit: Audit): Draft[] {
  const open = (audit.accounts ?? []).filter(isShut).flatMap((account) => {
    const connection = connectionOf(account);
    if (audit.login(connection) === "impossible") return [];
    const answers = FORWARDS.flatMap((capability) => audit.at(capability, connection) ?? []).filter(
      ({ allowed }) => allowed !== false,
    );
    return answers.length === 0 ? [] : [{ account, connection, answers }];
  });
  const [first] = open;
  const place = audit.config.files[0];
  if (first === undefined || place === undefined) return [];
  const [answer] = first.answers;
  const names = listed(open.map(({ account }) => account.name));
  return [
    {
      message: `${names}: the shell ${first.account.shell} refuses a session, and the account ${forwards(first.answers)}`,
      place: answer?.decidedBy[0]?.directive?.place ?? { source: place.source, start: 0, end: 0 },
      witness: first.connection,
      grant: grantText(first.answers),
      capability: answer?.capability ?? null,
      login: answer?.login ?? null,
      affected: open.flatMap(({ account, answers }) => affectedBy(answers, `user ${account.name}`)),
      notes: [
        "ssh -N asks for no shell; a password or a key is enough. DenyUsers or AllowTcpForwarding no in a Match block end it",
      ],
    },
  ];
}

function isShut({ uid, shell }: Account): boolean {
  return uid >= FIRST_USER && uid !== NOBODY && /\/(?:nologin|false)$/.test(shell);
}

function connectionOf({ name, groups }: Account): Connection {
  const addr = "198.51.100.7";
  return {
    user: name,
    groups,
    host: addr,
    addr,
    laddr: "192.0.2.1",
    lport: 22,
    rdomain: "",
    invalidUser: false,
  };
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
