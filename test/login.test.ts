/** Who can log in on random lists, by brute force over a small world: "possible" and "impossible" are exactly right. */
import { describe, expect, it, test } from "vitest";
import type { Config } from "../src/config/config.ts";
import type { Account } from "../src/files/tree.ts";
import { loginLimit } from "../src/lint/openings.ts";
import type { Answer } from "../src/policy/answer.ts";
import { type Connection, NOT_OVER_IP } from "../src/policy/connection.ts";
import { evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { exposure } from "../src/policy/exposure.ts";
import { locate } from "../src/policy/locate.ts";
import { loginOf, loginThrough } from "../src/policy/login.ts";
import { configOf } from "./configurations.ts";
import { makeRandom, type Random } from "./fuzz/random.ts";
import { load, MAIN_FILE, release } from "./sshd/reading.ts";

// one value for each class that the patterns below tell apart
const USERS = ["alice", "bob", "root", "carol", "a", "bxb", "!root", "a,b", "zed"];
const GROUPS = ["staff", "sx", "admins", "bad", "!bad", "zz"];
const GROUP_SETS = Array.from({ length: 64 }, (_, bits) => GROUPS.filter((_, at) => (bits >> at) & 1)).filter(
  ({ length }) => length < 4,
);
const ADDRESSES = [
  ...["10.0.0.5", "10.0.0.6", "10.0.1.5", "10.0.1.6", "10.9.9.9", "192.168.1.1"],
  ...["2001:db8::1", "fe80::1%eth0"],
];
const NAMES = ["evil.example.com", "good.example.com", "10.example.com", "10.org", "other.org", "unknown"];

type Peer = Pick<Connection, "addr" | "host">;

const AS_TEXT: readonly Peer[] = [...ADDRESSES.map((addr) => ({ addr, host: addr })), NOT_OVER_IP];
const NAMED: readonly Peer[] = ADDRESSES.flatMap((addr) => NAMES.map((host) => ({ addr, host })));

function worldOf(peers: readonly Peer[]): readonly Connection[] {
  const place = { laddr: "192.0.2.1", lport: 22, rdomain: "", invalidUser: false };
  return peers.flatMap((peer) =>
    USERS.flatMap((user) => GROUP_SETS.map((groups) => ({ ...place, ...peer, user, groups }))),
  );
}

const WORLDS: Readonly<Record<"no" | "yes", readonly Connection[]>> = {
  no: worldOf(AS_TEXT),
  yes: worldOf([...AS_TEXT, ...NAMED]),
};

const HOSTS = [
  ...["10.0.0.0/8", "10.0.1.5", "10.*", "*", "2001:db8::/32", "fe80::*", "192.168.1.1"],
  ...["*.example.com", "EVIL.example.com", "unknown", "10.org,10.0.0.5"],
  ...[
    "!10.0.0.5,10.0.0.0/8",
    "!evil.example.com,*",
    "!10.0.1.0/24,*.example.com",
    "!10.*,*",
    "*.org,!*.example.com",
    "10.0.0.5**",
    "!10.0.0.5**,10.0.**",
    "!2001:DB8::*,2001:db8::*",
  ],
];

const METHODS = ["any", "none", "password", "publickey,password", "keyboard-interactive:pam publickey"];

interface Policy {
  readonly text: string;
  readonly useDns: "no" | "yes";
  readonly of: string;
}

function randomPolicy(random: Random): Policy {
  const of = random.pick(["8.4", "9.2", "10.0"]);
  const useDns = random.chance(25) ? "yes" : "no";
  const user = (): string =>
    random.pick([...USERS.slice(0, 4), "a*", "*", "!root", "b?b", "a**", "a,b", "root", "?*"]);
  const item = (): string => (random.chance(40) ? `${user()}@${random.pick(HOSTS)}` : user());
  const group = (): string => random.pick(["staff", "admins", "bad", "s*", "*", "sx*", "!bad"]);
  const list = (): string =>
    random.pick([
      `AllowUsers ${random.some(1, 3, item).join(" ")}`,
      `AllowUsers ${item()}`,
      `DenyUsers ${random.some(1, 2, item).join(" ")}`,
      `AllowGroups ${random.some(1, 2, group).join(" ")}`,
      `DenyGroups ${group()}`,
      `PermitRootLogin ${random.pick(["no", "yes"])}`,
      `PubkeyAuthentication ${random.pick(["no", "no", "yes"])}`,
      `${random.pick(["Password", "KbdInteractive"])}Authentication ${random.pick(["no", "yes"])}`,
      `AuthenticationMethods ${random.pick(METHODS)}`,
      `PermitEmptyPasswords ${random.pick(["no", "yes"])}`,
      `PermitOpen ${random.pick(["db:ssh", "db:22", "any"])}`,
      `PermitListen ${random.pick(["imap", "[::1]:imap", "143"])}`,
      ...(of === "10.0" ? ["PermitOpen none db:22", "PermitListen any 143"] : []),
      ...(of === "10.0" ? [`RefuseConnection ${random.pick(["no", "yes"])}`] : []),
    ]);
  const names = (one: () => string): string =>
    random.some(1, 2, () => (random.chance(20) ? "!" : "") + one().replace(/^!|,b/g, "")).join(",");
  const criteria = (): string =>
    random.pick([
      `User ${names(user)}`,
      `Group ${names(group)}`,
      `Address ${random.pick(["10.0.0.0/8", "10.0.0.0/24", "*,!10.0.1.5", "10.*", "2001:db8::/32"])}`,
      `User ${names(user)} Address 10.0.0.0/24`,
      `User ${names(user)} Group ${names(group)}`,
      ...(useDns === "yes" ? ["Host *.example.com", "Host 10.*"] : []),
      ...(of === "10.0" ? ["invalid-user"] : []),
    ]);
  const block = (): string => {
    const lines = [`Match ${criteria()}`];
    if (random.chance(60)) lines.push(`AllowTcpForwarding ${random.pick(["yes", "no"])}`);
    if (random.chance(60)) lines.push(...random.some(1, 2, list));
    return lines.join("\n");
  };
  const lines = [`UseDNS ${useDns}`, ...random.some(0, 3, list), ...random.some(0, 3, block)];
  return { text: `${lines.join("\n")}\n`, useDns, of };
}

interface Asked {
  readonly config: Config;
  readonly world: readonly Connection[];
  readonly accounts: readonly Account[] | null;
  readonly answers: readonly Answer[];
}

function ask(policy: Policy, accounts: readonly Account[] | null): Asked {
  const config = configOf(policy.text, policy.of);
  const { answers } = exposure(config, { accounts, capabilities: ["tcp-local"] });
  return { config, world: WORLDS[policy.useDns], accounts, answers };
}

/** Somebody whom sshd lets in from a region in which nobody is said to log in. */
function letInAfterAll({ config, world, accounts, answers }: Asked): Connection | undefined {
  if (answers.every(({ login }) => login !== "impossible")) return undefined;
  const exists = ({ user, groups }: Connection): boolean =>
    accounts === null ||
    accounts.some((account) => account.name === user && account.groups.join() === groups?.join());
  return world.find(
    (connection) =>
      exists(connection) &&
      loginThrough(config, connection) === "possible" &&
      locate(config, answers, "tcp-local", connection)?.login === "impossible",
  );
}

/** A possible login has a witness in its region whom the plain reading lets in, unless -C cannot carry his name. */
function isShown({ config, answers }: Asked, answer: Answer): boolean {
  const { witness, loginBecause } = answer;
  return (
    loginBecause === "a,b may log in" ||
    (witness !== null &&
      locate(config, answers, "tcp-local", witness) === answer &&
      loginThrough(config, witness) === "possible")
  );
}

/** People of random groups, as a closed world. */
function randomAccounts(random: Random): readonly Account[] {
  const people = new Map(random.some(1, 4, () => [random.pick(USERS), random.pick(GROUP_SETS)] as const));
  return [...people].map(([name, groups]) => accountOf(name, groups));
}

function accountOf(name: string, groups: readonly string[]): Account {
  return { name, groups, uid: 1000, gid: 1000, home: "/", shell: "/bin/sh" };
}

const SEEDS = Number(process.env["LOGINS"] ?? 250);

describe("who can log in", () => {
  it("is said exactly, for anybody and for known accounts", () => {
    const seen = { possible: 0, impossible: 0, unknown: 0 };
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = makeRandom(seed);
      const [policy, people] = [randomPolicy(random), randomAccounts(random)];
      for (const accounts of [null, people]) {
        const asked = ask(policy, accounts);
        expect([seed, policy, accounts, letInAfterAll(asked)]).toEqual([seed, policy, accounts, undefined]);
        for (const answer of asked.answers) {
          const { login, condition } = answer;
          const isRight = login !== "possible" || isShown(asked, answer);
          expect([seed, policy, accounts, condition, isRight]).toEqual([
            seed,
            policy,
            accounts,
            condition,
            true,
          ]);
          seen[login]++;
        }
      }
    }
    // an interface may be called x.example.com, and `*.example.com` then fits fe80::1%x.example.com (theory-address-zones.ts)
    expect(seen.unknown).toBeLessThanOrEqual(SEEDS / 5000);
    expect(seen.impossible).toBeGreaterThan(SEEDS / 4);
    expect(seen.possible).toBeGreaterThan(SEEDS / 4);
  }, 120_000);
});

// seen on Debian's 9.2 with UseDNS yes and a name for 127.0.0.1 in /etc/hosts
test.each([
  ["root@!evil.example.com,127.0.0.0/8", "impossible"],
  ["root@127.0.0.0/8", "possible"],
  ["root@!good.example.com,127.0.0.0/8", "possible"],
  ["root@evil.example.com,10.0.0.0/8", "possible"],
  ["root@!127.0.0.0/8,evil.example.com", "impossible"],
  ["root@EVIL.example.com", "possible"],
])("AllowUsers %s, from a host that is called evil.example.com: %s", (list, expected) => {
  const config = load({ [MAIN_FILE]: `UseDNS yes\nAllowUsers ${list}\n` }, release("9.2"));
  const connection = {
    ...{ user: "root", groups: ["root"], addr: "127.0.0.1", host: "evil.example.com", laddr: "127.0.0.1" },
    ...{ lport: 22, rdomain: "", invalidUser: false },
  };
  const effective = evaluate(config, connection);
  expect(isAnswer(effective) && loginOf(effective, connection, config).login).toBe(expected);
});

test.each<[string, readonly string[] | null, string, string]>([
  ["DenyGroups noshell\n", [], "impossible", "DenyGroups is set, and alice is in no group"],
  ["DenyGroups noshell\n", ["users"], "possible", "nothing in the configuration refuses this login"],
  ["DenyGroups noshell\n", ["users", "noshell"], "impossible", "DenyGroups names a group of alice"],
  ["AllowGroups staff\n", [], "impossible", "AllowGroups names no group of alice"],
  ["DenyUsers bob\n", [], "possible", "nothing in the configuration refuses this login"],
  ["PermitOpen db:22 db:ssh\n", [], "impossible", "sshd ends connections over PermitOpen db:ssh"],
  ["PermitListen *:022\n", [], "possible", "nothing in the configuration refuses this login"],
  [
    "PubkeyAuthentication no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
    [],
    "impossible",
    "every way to authenticate is off",
  ],
  [
    "PubkeyAuthentication no\nPasswordAuthentication no\n",
    [],
    "possible",
    "nothing in the configuration refuses this login",
  ],
  [
    "PasswordAuthentication no\nMatch User alice\nAuthenticationMethods publickey,password password\n",
    [],
    "impossible",
    "AuthenticationMethods asks for ways to authenticate that are off",
  ],
  [
    "PasswordAuthentication no\nMatch User alice\nAuthenticationMethods publickey,password publickey\n",
    [],
    "possible",
    "nothing in the configuration refuses this login",
  ],
  // seen on 9.2: behind the key "Authentications that can continue" is empty
  [
    "AuthenticationMethods publickey,none\n",
    [],
    "impossible",
    "AuthenticationMethods asks for ways to authenticate that are off",
  ],
  [
    "AuthenticationMethods none\nPermitEmptyPasswords yes\n",
    [],
    "possible",
    "nothing in the configuration refuses this login",
  ],
])("%j with the groups %j: %s", (text, groups, login, because) => {
  const config = load({ [MAIN_FILE]: text }, release("9.2"));
  const connection = {
    ...{ user: "alice", groups, addr: "192.0.2.7", host: "192.0.2.7", laddr: "192.0.2.1" },
    ...{ lport: 22, rdomain: "", invalidUser: false },
  };
  const effective = evaluate(config, connection);
  expect(isAnswer(effective) && loginOf(effective, connection, config)).toEqual({ login, because });
});

test.each([
  // up to 8.4 two stars at the end need one more byte (match.c match_pattern)
  ["8.4", "AllowUsers a**\nMatch User a\n", "impossible"],
  ["9.2", "AllowUsers a**\nMatch User a\n", "possible"],
  ["8.4", "AllowGroups a**\nMatch Group *,!a?*\n", "impossible"],
  // `!` and `,` are letters of a name here, and signs on a Match line
  ["9.2", "AllowUsers !root\nMatch User !root\nX11Forwarding no\nMatch User *\n", "possible"],
  ["9.2", "DenyUsers a,b\nMatch User a,b\n", "possible"],
  // up to 9.6 a list of nothing is accepted, and sets nothing
  ["9.2", "DenyUsers alice\nMatch User alice,bob\nAllowUsers # nobody\n", "possible"],
  // the first @ divides, from 9.9 on the last (match.c match_user)
  ["9.2", "AllowUsers a@b@10.0.0.1\nMatch User a@b\n", "impossible"],
  ["10.0", "AllowUsers a@b@10.0.0.1\nMatch User a@b\n", "possible"],
])("%s, %j: %s", (of, text, expected) => {
  const { answers } = exposure(configOf(`X11Forwarding no\n${text}X11Forwarding yes\n`, of), {
    capabilities: ["x11"],
    answers: "open",
  });
  expect(answers.map(({ login }) => login)).toEqual([expected]);
});

test("thousands of names beside as many blocks are settled, each", () => {
  const names = Array.from({ length: 2000 }, (_, number) => `user${number}`);
  const blocks = names.map(
    (name) => `Match User ${name}\nX11Forwarding ${name.endsWith("7") ? "yes" : "no"}\n`,
  );
  const counted = (list: string): readonly number[] => {
    const { answers } = exposure(configOf(`X11Forwarding yes\n${list}\n${blocks.join("")}`), {
      capabilities: ["x11"],
      answers: "open",
    });
    return ["possible", "impossible", "unknown"].map(
      (kind) => answers.filter(({ login }) => login === kind).length,
    );
  };
  expect(counted(`AllowUsers ${names.join(" ")}`)).toEqual([200, 1, 0]);
  expect(counted(`AllowUsers ${names.join("@10.0.0.0/8 ")} root`)).toEqual([201, 0, 0]);
  expect(counted(`DenyUsers ${names.join(" ")}`)).toEqual([1, 200, 0]);
});

test("nobody outside a block for all whom AllowUsers names can log in", () => {
  const loginsOf = (text: string): readonly string[] =>
    exposure(configOf(text), { capabilities: ["x11"] }).answers.map(({ login }) => login);
  const block = "X11Forwarding yes\nMatch User alice\nX11Forwarding no\n";
  expect(loginsOf(`AllowUsers alice\n${block}`)).toEqual(["possible", "impossible"]);
  expect(loginsOf(`AllowUsers alice bob\n${block}`)).toEqual(["possible", "possible"]);
  expect(
    loginsOf(`AllowUsers alice\n${block.replace("User alice", "User alice Address 10.0.0.0/8")}`),
  ).toEqual(["possible", "possible"]);
});

test.each([
  ["AllowUsers # nobody\n", null],
  ["AllowUsers # nobody\nAllowUsers bob\n", "of them, only bob can log in (AllowUsers)"],
  [
    "AllowGroups staff\nAllowUsers bob\nAllowUsers eve\n",
    "of them, only bob and eve can log in (AllowUsers)",
  ],
  ["AllowGroups staff\n", "of them, only members of staff can log in (AllowGroups)"],
  ["AllowGroups staff\nMatch User bob\nAllowGroups wheel\n", null],
])("%j: %s", (text, limit) => {
  expect(loginLimit(configOf(text))).toBe(limit);
});
