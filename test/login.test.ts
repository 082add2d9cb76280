/** "Nobody of them can log in" on random lists, by brute force: nobody of a small world whom sshd's rules let in lies there. */
import { describe, expect, it } from "vitest";
import type { Account } from "../src/files/tree.ts";
import type { Connection } from "../src/policy/connection.ts";
import { evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { exposure } from "../src/policy/exposure.ts";
import { locate } from "../src/policy/locate.ts";
import { loginOf } from "../src/policy/login.ts";
import { makeRandom, type Random } from "./fuzz/random.ts";
import { load, MAIN_FILE, release, verdictOf } from "./sshd/reading.ts";

const USERS = ["alice", "bob", "root", "carol"];
const GROUPS = ["staff", "admins", "bad"];
const SUBSETS = Array.from({ length: 8 }, (_, bits) => GROUPS.filter((_, index) => (bits >> index) & 1));
const WORLD: readonly Connection[] = USERS.flatMap((user) =>
  SUBSETS.flatMap((groups) =>
    ["10.0.0.5", "192.168.1.1"].map((addr) => ({
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
      `User ${random.pick(USERS)} Group ${group()},${group()}`,
    ]);
    const more = random.chance(25) ? `\n${list()}` : "";
    return `Match ${criteria}\nAllowTcpForwarding ${random.pick(["yes", "no"])}${more}`;
  };
  return `${[...random.some(1, 3, list), ...random.some(0, 2, block)].join("\n")}\n`;
}

/** Who of the world lies in an open region in which nobody is said to log in, and may. */
function letInAfterAll(text: string, of: string, accounts: readonly Account[] | null): readonly Connection[] {
  const config = load({ [MAIN_FILE]: text }, release(of));
  if (!verdictOf(config).accepted) return [];
  const { answers } = exposure(config, { accounts, capabilities: ["tcp-local"] });
  const exists = ({ user, groups }: Connection): boolean =>
    accounts === null ||
    accounts.some((account) => account.name === user && account.groups.join() === groups?.join());
  return WORLD.filter(exists).filter((connection) => {
    const answer = locate(config, answers, "tcp-local", connection);
    const effective = evaluate(config, connection);
    if (!isAnswer(effective) || answer === null || answer.login !== "impossible") return false;
    return loginOf(effective, connection, config.release).login !== "impossible";
  });
}

describe("nobody can log in", () => {
  it("is said of regions in which nobody can", () => {
    for (let seed = 0; seed < 400; seed++) {
      const random = makeRandom(seed);
      const [text, of] = [randomLists(random), random.pick(["8.4", "9.2", "10.0"])];
      const people = new Map(
        random.some(1, 4, () => random.pick(WORLD)).map(({ user, groups }) => [user, groups]),
      );
      const accounts = [...people].map(([name, groups]): Account => {
        return { name: name ?? "", groups: groups ?? [], uid: 1000, gid: 1000, home: "/", shell: "/bin/sh" };
      });
      for (const world of [null, accounts])
        expect([text, of, world, letInAfterAll(text, of, world)]).toEqual([text, of, world, []]);
    }
  }, 120_000);

  it("is not said where a group beside the denied one may be the user's", () => {
    const text = "DenyGroups admins\nMatch User carol Group admins,bad\nAllowTcpForwarding yes\n";
    expect(letInAfterAll(text, "9.2", null)).toEqual([]);
  });
});
