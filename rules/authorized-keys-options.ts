import {
  type Answer,
  type Audit,
  type Capability,
  type Draft,
  decode,
  forwards,
  keyOptionsOf,
  limitOfPlaces,
  makeSource,
  opened,
  type Place,
  placeOf,
  type Rule,
} from "../src/lint/rule.ts";

const FORWARDS: readonly Capability[] = ["tcp-local", "tcp-remote", "unix-local"];

/** What a list of a key limits (channels.c); a remote socket is asked of neither and is left out here. */
const LIMITED_BY: Readonly<Record<string, string>> = {
  "tcp-local": "permitopen",
  "unix-local": "permitopen",
  "tcp-remote": "permitlisten",
};

type Source = Place["source"];

/** The options in front of a key. */
interface KeyLine {
  readonly options: readonly { readonly name: string; readonly value: string }[];
  readonly start: number;
  readonly end: number;
}

function check(audit: Audit): Draft[] {
  return (audit.facts?.authorizedKeys ?? []).flatMap(({ account, path, bytes }) => {
    const source = makeSource(audit.shownAs(path), decode(bytes));
    // keys of a file are often good from the same places
    const known = new Map<string | null, readonly Answer[] | null>();
    return keyLines(source.text).flatMap((line) => {
      const from = line.options.find(({ name }) => name === "from")?.value ?? null;
      const open = known.has(from) ? known.get(from) : audit.openTo(account, FORWARDS, from);
      known.set(from, open ?? null);
      return open == null ? [] : report(audit, { source, line }, { user: account.name, open });
    });
  });
}

interface Written {
  readonly source: Source;
  readonly line: KeyLine;
}

interface Owner {
  readonly user: string;
  /** what the server grants: a key's options can only narrow it */
  readonly open: readonly Answer[];
}

function report(audit: Audit, { source, line }: Written, { user, open }: Owner): Draft[] {
  const place = placeOf(source, line);
  const names = line.options.map(({ name }) => name);
  const list = line.options.find(({ name }) => name === "permitopen" || name === "permitlisten");
  if (!keyForwards(names) || open.length === 0) {
    if (list === undefined) return [];
    const because = keyForwards(names)
      ? "the server's configuration closes forwarding for this user"
      : "the key may not forward at all";
    return [
      {
        message: `a key of ${user}: ${list.name}="${list.value}" has no effect: ${because}`,
        place,
        severity: "info",
      },
    ];
  }
  const from = line.options.find(({ name }) => name === "from");
  const holder = from === undefined ? "whoever holds it" : `whoever holds it and comes from ${from.value}`;
  const unlimited = open.filter(({ capability }) => !names.includes(LIMITED_BY[capability] ?? ""));
  const [first] = unlimited;
  const said = first === undefined ? null : misleading(names, user);
  if (first === undefined || said === null) return [];
  return [
    {
      ...said,
      message: `${said.message}: ${holder} ${forwards(unlimited)}${limitOfPlaces(unlimited)}`,
      place,
      ...opened(audit, first, unlimited),
    },
  ];
}

function misleading(
  names: readonly string[],
  user: string,
): (Pick<Draft, "severity" | "notes"> & { readonly message: string }) | null {
  if (names.includes("command"))
    return {
      severity: "medium",
      message: `a forced command does not stop a key of ${user} from forwarding`,
      notes: ["put restrict in front of the key's options: ssh -N asks for no command at all"],
    };
  if (!names.includes("restrict")) return null;
  return {
    severity: "low",
    message: `a key of ${user} is restricted, and port-forwarding takes that back`,
    notes: ['limit it with permitopen="HOST:PORT" and permitlisten="PORT", or take port-forwarding out'],
  };
}

/** The last word counts, option by option; `restrict` closes all that no later option opens. */
function keyForwards(names: readonly string[]): boolean {
  return names.reduce(
    (open, name) =>
      name === "restrict" || name === "no-port-forwarding" ? false : name === "port-forwarding" ? true : open,
    true,
  );
}

const KEY_TYPE = /^(?:ssh-|ecdsa-|sk-|[0-9]+$)/;

/** Lines whose first word is no key type begin with options. */
function keyLines(text: string): KeyLine[] {
  let start = 0;
  return text.split("\n").flatMap((whole) => {
    const lineStart = start;
    start += whole.length + 1;
    const line = whole.replace(/^[ \t]+/, "");
    const first = /^[^ \t,="]*/.exec(line)?.[0] ?? "";
    if (line === "" || line.startsWith("#") || KEY_TYPE.test(first)) return [];
    const read = keyOptionsOf(line);
    if ("because" in read || isDead(read.options.map(({ name }) => name))) return [];
    const indent = whole.length - line.length;
    return [{ options: read.options, start: lineStart + indent, end: lineStart + indent + read.length }];
  });
}

/** Principals are those of certificates: a key of its own lets nobody in with them (auth2-pubkeyfile.c). */
function isDead(names: readonly string[]): boolean {
  return names.includes("principals") && !names.includes("cert-authority");
}

export const rule: Rule = {
  id: "authorized-keys-options",
  title: "options of a key that do not do what they look like",
  severity: "low",
  docs: {
    what: "In the authorized keys of an account: a forced command without `restrict`, `port-forwarding` behind `restrict`, or a `permitopen` or `permitlisten` that has no effect. The keys of a root file system, an image or the live host are read, where AuthorizedKeysFile says.",
    why: "`command=` replaces the session and nothing else: `ssh -N -L` asks for no session, so a key for backups or git is a tunnel into the network. Options of a key can only narrow what the server's configuration grants; a list beside `no-port-forwarding` narrows nothing.",
    who: "Whoever holds that key.",
    bad: "AllowTcpForwarding yes\n",
    good: "AllowTcpForwarding no\n",
    fix: "None: edit the key's line, and put `restrict` in front.",
    allowWhen: "The key is meant to forward; then limit it with permitopen.",
  },
  references: ["sshd(8): AUTHORIZED_KEYS FILE FORMAT", "OpenSSH source: auth-options.c, sshauthopt_parse"],
  check,
};
