import { expect, it } from "vitest";
import { checkConfig } from "../src/config/check.ts";
import { judge, OURS } from "./fuzz/judge.ts";
import { PROGRAMS } from "./sshd/programs.ts";
import { load, MAIN_FILE, release, verdictOf } from "./sshd/reading.ts";
import type { ServerTree } from "./sshd/server-tree.ts";
import { describeWithSshd } from "./sshd/sharing.ts";

const LIMIT = 4_128_768;
/** what sshd packs around the text of a single file: lengths, a NUL, a secret */
const AROUND = 22;

function comments(bytes: number): string {
  return `${`# ${"x".repeat(997)}\n`.repeat(Math.floor(bytes / 1000))}${"#".repeat((bytes % 1000) - 1)}\n`;
}

const TREES: readonly (readonly [string, ServerTree])[] = [
  ["just small enough", { [MAIN_FILE]: comments(LIMIT - AROUND) }],
  ["one byte too large", { [MAIN_FILE]: comments(LIMIT - AROUND + 1) }],
  [
    "two files, a pattern without a match, white space and bytes that are not kept",
    {
      [MAIN_FILE]: `Include x.conf none.conf\n  \t # y\0zz\nX11Forwarding yes\n${comments(2_000_001)}`,
      "/etc/ssh/x.conf": `   ${comments(2_200_001)}`,
    },
  ],
];

it("10.0 says nothing of a configuration that it cannot hand over", () => {
  const config = load({ [MAIN_FILE]: comments(262_100) }, release("10.0"));
  expect(checkConfig(config).silent.map(({ code }) => code)).toEqual(["size-lockout"]);
  expect(verdictOf(load({ [MAIN_FILE]: comments(5_000_001) }, release("9.9"))).accepted).toBe(true);
});

it("the limit is met by 10.1 and later", () => {
  const of = release("10.5");
  expect(verdictOf(load({ [MAIN_FILE]: comments(LIMIT - AROUND) }, of)).accepted).toBe(true);
  expect(verdictOf(load({ [MAIN_FILE]: comments(LIMIT - AROUND + 1) }, of)).error).toBe(
    `Configuration file is too large (have ${LIMIT + 1}, max ${LIMIT})`,
  );
});

for (const program of PROGRAMS) {
  await describeWithSshd(program, "large configurations", (sshd) => {
    it.each(TREES)("%s", async (_name, tree) => {
      const { differences } = await judge(sshd, { tree, connections: [] }, OURS);
      expect(differences.map(({ ours, sshd: real }) => [ours, real])).toEqual([]);
    });
  });
}
