/** "Nobody of them can log in" on random lists, by brute force: nobody of a small world whom sshd's rules let in lies there. */
import { describe, expect, it, test } from "vitest";
import type { Account } from "../src/files/tree.ts";
import type { Answer } from "../src/policy/answer.ts";
import type { Connection } from "../src/policy/connection.ts";
import { evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { exposure } from "../src/policy/exposure.ts";
import { locate } from "../src/policy/locate.ts";
import { loginOf } from "../src/policy/login.ts";
import { configOf } from "./configurations.ts";
import { makeRandom, type Random } from "./fuzz/random.ts";
import { load, MAIN_FILE, release, verdictOf } from "./sshd/reading.ts";

const USERS = ["alice", "bob", "root", "carol"];
const GROUPS = ["staff", "admins", "bad"];
const SUBSETS = Array.from({ length: 8 }, (_, bits) => GROUPS.filter((_, index) => (bits >> index) & 1));
const WORLD: readonly Connection[] = USERS.flatMap((user) =>
  SUBSETS.flatMap((groups) =>
    ["10.0.0.5", "10.0.1.5", "192.168.1.1"].map((addr) => ({
      ...{ user, groups, addr, host: addr, laddr: "192.0.2.1", lport: 22, rdomain: "", invalidUser: false },
    })),
  ),
);

function randomLists(random: Random): string {
  const user = (): string =>
    random.pick([...USERS, "a*", "*", "!root", "alice@10.0.0.0/8", "*@10.*", "b?b", "root"]);
  const group = (): string => random.pick([...GROUPS, "s*", "*", "st?ff", "!bad"]);
  const list = (): string =>
    random.pick([
      `AllowUsers ${user()} ${user()}`,
      `DenyUsers ${user()}`,
      `AllowGroups ${group()} ${group()}`,
      `DenyGroups ${group()}`,
      `PermitRootLogin ${random.pick(["no", "yes"])}`,
    ]);
  const block = (): string => {
    const criteria = random.pick([
      `User ${user()}`,
      `Group ${group()},${group()}`,
      "Address 10.0.0.0/8",
      `User ${user()} Address 10.0.0.0/24`,
      `User ${random.pick(USERS)} Group ${group()},${group()}`,
    ]);
    const more = random.chance(25) ? `\n${list()}` : "";
    return `Match ${criteria}\nAllowTcpForwarding ${random.pick(["yes", "no"])}${more}`;
  };
  return `${[...random.some(1, 3, list), ...random.some(0, 2, block)].join("\n")}\n`;
}

/** Whom the configuration lets in, by region, and what is said of each open region. */
function loginsOf(
  text: string,
  of: string,
  accounts: readonly Account[] | null,
): ReadonlyMap<Answer, readonly Connection[]> {
  const config = load({ [MAIN_FILE]: text }, release(of));
  if (!verdictOf(config).accepted) return new Map();
  const { answers } = exposure(config, { accounts, capabilities: ["tcp-local"] });
  const exists = ({ user, groups }: Connection): boolean =>
    accounts === null ||
    accounts.some((account) => account.name === user && account.groups.join() === groups?.join());
  const letIn = WORLD.filter(exists).filter((connection) => {
    const effective = evaluate(config, connection);
    return isAnswer(effective) && loginOf(effective, connection, config.release).login === "possible";
  });
  return new Map(
    answers.map((answer) => [
      answer,
      letIn.filter((connection) => locate(config, answers, "tcp-local", connection) === answer),
    ]),
  );
}

/** Who of the world lies in a region in which nobody is said to log in, and may. */
function letInAfterAll(...asked: Parameters<typeof loginsOf>): readonly Connection[] {
  return [...loginsOf(...asked)].flatMap(([{ login }, letIn]) => (login === "impossible" ? letIn : []));
}

/** People of random groups, as a closed world. */
function randomAccounts(random: Random): readonly Account[] {
  const people = new Map(
    random.some(1, 4, () => random.pick(WORLD)).map(({ user, groups }) => [user, groups]),
  );
  return [...people].map(([name, groups]): Account => {
    return { name: name ?? "", groups: groups ?? [], uid: 1000, gid: 1000, home: "/", shell: "/bin/sh" };
  });
}

describe("nobody can log in", () => {
  it("is said of regions in which nobody can", () => {
    for (let seed = 0; seed < 400; seed++) {
      const random = makeRandom(seed);
      const [text, of] = [randomLists(random), random.pick(["8.4", "9.2", "10.0"])];
      const accounts = randomAccounts(random);
      for (const world of [null, accounts])
        expect([text, of, world, letInAfterAll(text, of, world)]).toEqual([text, of, world, []]);
    }
  }, 120_000);

  it("is not said where a group beside the denied one may be the user's", () => {
    const text = "DenyGroups admins\nMatch User carol Group admins,bad\nAllowTcpForwarding yes\n";
    expect(letInAfterAll(text, "9.2", null)).toEqual([]);
  });

  it("is known for certain where the accounts are, and the lists are the same everywhere", () => {
    for (let seed = 1000; seed < 1400; seed++) {
      const random = makeRandom(seed);
      const [text, accounts] = [randomLists(random), randomAccounts(random)];
      const [lists = "", ...blocks] = text.replace(/@\S+/g, "").split(/^(?=Match)/m);
      const plain = [lists, ...blocks.map((block) => block.split("\n", 2).join("\n"))].join("\n");
      for (const [{ login, loginBecause }, letIn] of loginsOf(plain, "9.2", accounts))
        expect([plain, accounts, loginBecause, login]).toEqual([
          plain,
          accounts,
          loginBecause,
          letIn.length > 0 ? "possible" : "impossible",
        ]);
    }
  }, 120_000);

  it("is not said because the one who may stands elsewhere than the first who was looked at", () => {
    const text =
      "AllowTcpForwarding no\nAllowUsers bob\nMatch User bob Address 10.0.0.0/24\nAllowTcpForwarding no\n" +
      "Match Address 10.0.0.0/8\nAllowTcpForwarding yes\n";
    const accounts = ["alice", "bob"].map((name): Account => {
      return { name, groups: [], uid: 1000, gid: 1000, home: "/", shell: "/bin/sh" };
    });
    const [open] = [...loginsOf(text, "9.2", accounts).keys()].filter(({ allowed }) => allowed === true);
    expect(open).toMatchObject({ login: "possible", witness: { user: "bob" } });
  });

  it("is said of users that do not exist", () => {
    const text = "AllowTcpForwarding no\nMatch invalid-user\nAllowTcpForwarding yes\n";
    const [open] = [...loginsOf(text, "10.0", null).keys()].filter(({ allowed }) => allowed === true);
    expect(open).toMatchObject({ login: "impossible", loginBecause: "the user does not exist" });
  });
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
  expect(isAnswer(effective) && loginOf(effective, connection, config.release).login).toBe(expected);
});

test.each<[string, readonly string[] | null, string, string]>([
  ["DenyGroups noshell\n", [], "impossible", "DenyGroups is set, and alice is in no group"],
  ["DenyGroups noshell\n", ["users"], "possible", "nothing in the configuration refuses this login"],
  ["DenyGroups noshell\n", ["users", "noshell"], "impossible", "DenyGroups names a group of alice"],
  ["AllowGroups staff\n", [], "impossible", "AllowGroups names no group of alice"],
  ["DenyUsers bob\n", [], "possible", "nothing in the configuration refuses this login"],
])("%j with the groups %j: %s", (text, groups, login, because) => {
  const config = load({ [MAIN_FILE]: text }, release("9.2"));
  const connection = {
    ...{ user: "alice", groups, addr: "192.0.2.7", host: "192.0.2.7", laddr: "192.0.2.1" },
    ...{ lport: 22, rdomain: "", invalidUser: false },
  };
  const effective = evaluate(config, connection);
  expect(isAnswer(effective) && loginOf(effective, connection, config.release)).toEqual({ login, because });
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
