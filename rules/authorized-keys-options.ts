import {
  type Account,
  type Audit,
  type Capability,
  type Connection,
  type Draft,
  decode,
  makeSource,
  type Place,
  type Rule,
} from "../src/lint/rule.ts";

const FORWARDS: readonly Capability[] = ["tcp-local", "tcp-remote"];

type Source = Place["source"];

/** The options in front of a key, names in lower case, in their order (OpenSSH auth-options.c, sshauthopt_parse). */
interface KeyLine {
  readonly options: readonly { readonly name: string; readonly value: string }[];
  readonly start: number;
  readonly end: number;
}

function check(audit: Audit): Draft[] {
  const accounts = new Map((audit.accounts ?? []).map((account) => [account.name, account]));
  return (audit.facts?.authorizedKeys ?? []).flatMap(({ user, path, bytes }) => {
    const account = accounts.get(user);
    if (account === undefined) return [];
    const source = makeSource(audit.shownAs(path), decode(bytes));
    const mayForward = FORWARDS.some((capability) => isOpen(audit, capability, account));
    return keyLines(source.text).flatMap((line) => report(source, line, { user, mayForward }));
  });
}

function isOpen(audit: Audit, capability: Capability, account: Account): boolean {
  const answer = audit.at(capability, connectionOf(account));
  return answer !== null && answer.allowed !== false;
}

function connectionOf({ name, groups }: Account): Connection {
  const addr = "198.51.100.7";
  const where = { host: addr, addr, laddr: "192.0.2.1", lport: 22, rdomain: "" };
  return { user: name, groups, ...where, invalidUser: false };
}

interface Owner {
  readonly user: string;
  /** what the server grants: a key's options can only narrow it */
  readonly mayForward: boolean;
}

function report(source: Source, line: KeyLine, { user, mayForward }: Owner): Draft[] {
  const place = { source, span: { start: line.start, end: line.end } };
  const names = line.options.map(({ name }) => name);
  const forwards = keyForwards(names);
  const lists = line.options.filter(({ name }) => name === "permitopen" || name === "permitlisten");
  const [list] = lists;
  if (list !== undefined && !(forwards && mayForward)) {
    const because = forwards
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
  if (!forwards || !mayForward) return [];
  if (names.includes("restrict") && lists.length === 0)
    return [
      {
        message: `a key of ${user} is restricted, and port-forwarding takes that back, to any host and port`,
        place,
      },
    ];
  if (names.includes("command") && lists.length === 0)
    return [
      {
        message: `a key of ${user} with a forced command can still forward: the line lacks restrict`,
        place,
        severity: "medium",
      },
    ];
  return [];
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
const OPTION = /^([A-Za-z-]+)(?:="((?:\\.|[^"\\])*)")?/;

/** Lines whose first word is no key type begin with options. */
function keyLines(text: string): KeyLine[] {
  let start = 0;
  return text.split("\n").flatMap((whole) => {
    const lineStart = start;
    start += whole.length + 1;
    const line = whole.replace(/^[ \t]+/, "");
    const first = /^[^ \t,="]*/.exec(line)?.[0] ?? "";
    if (line === "" || line.startsWith("#") || KEY_TYPE.test(first)) return [];
    const options = optionsOf(line);
    const length = options.reduce((sum, { length: own }) => sum + own, 0);
    const indent = whole.length - line.length;
    return [{ options, start: lineStart + indent, end: lineStart + indent + length }];
  });
}

function optionsOf(line: string): { name: string; value: string; length: number }[] {
  const options: { name: string; value: string; length: number }[] = [];
  for (let rest = line; ; ) {
    const match = OPTION.exec(rest);
    if (match === null) return options;
    const name = (match[1] ?? "").toLowerCase();
    const comma = rest[match[0].length] === ",";
    options.push({ name, value: match[2] ?? "", length: match[0].length + (comma ? 1 : 0) });
    if (!comma) return options;
    rest = rest.slice(match[0].length + 1);
  }
}

export const rule: Rule = {
  id: "authorized-keys-options",
  title: "options of a key that do not do what they look like",
  severity: "low",
  docs: {
    what: "In the authorized keys of an account: a forced command without `restrict`, `port-forwarding` behind `restrict`, or a `permitopen` or `permitlisten` that has no effect.",
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
