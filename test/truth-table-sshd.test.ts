/** The truth table before real sshds: the machine's, and those of the lab that are there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { judge, OURS } from "./fuzz/judge.ts";
import { PROGRAMS } from "./sshd/programs.ts";
import type { ServerTree } from "./sshd/server-tree.ts";
import { describeWithSshd } from "./sshd/sharing.ts";

interface Row {
  readonly row: string;
  readonly files: ServerTree;
}

const ROWS: readonly Row[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/truth-table.json"), "utf8"),
);

const CONNECTIONS = ["alice", "bob", "Bob", "root", "sftp", "nobody", "'alice'"].flatMap((user) => [
  `user=${user},host=10.0.0.5,addr=10.0.0.5,laddr=192.0.2.1,lport=22`,
  `user=${user},host=203.0.113.9,addr=203.0.113.9,laddr=192.0.2.1,lport=2222`,
]);

for (const program of PROGRAMS) {
  await describeWithSshd(program, "the truth table", (sshd) => {
    it.each(ROWS)("row $row", async ({ files }) => {
      const { differences } = await judge(sshd, { tree: files, connections: CONNECTIONS }, OURS);
      expect(differences).toEqual([]);
    });
  });
}
