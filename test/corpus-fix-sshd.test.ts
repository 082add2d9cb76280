/** `audit --fix --unsafe-fixes` on real files, before the machine's sshd, as the campaign of fixes judges it. */
import { afterAll, expect, it } from "vitest";
import { FIX_ALL, judgeFix } from "./fuzz/fixes.ts";
import { OURS } from "./fuzz/judge.ts";
import { describeUnless } from "./needs.ts";
import { CORPUS_MISSING, type CorpusFile, corpusFiles } from "./sshd/corpus.ts";
import { openSshd, type Sshd } from "./sshd/driver.ts";
import { MAIN_FILE } from "./sshd/reading.ts";

/** Known to the judge's accounts or not; beside these, witnesses and whom the blocks are meant for. */
const CONNECTIONS = [
  ["deploy", "10.0.0.5", 22],
  ["root", "192.168.1.7", 22],
  ["alice", "203.0.113.9", 22],
  ["bob", "2001:db8::1", 2222],
  ["carol", "127.0.0.1", 22],
  ["guest", "172.16.3.4", 2222],
  ["git", "198.51.100.7", 22],
  ["nosuch", "10.1.2.3", 443],
].map(([user, addr, port]) => `user=${user},host=${addr},addr=${addr},laddr=192.0.2.1,lport=${port}`);

const opened = [await openSshd(), await openSshd()];
const [skipped] = opened.flatMap((one) => (one.kind === "skipped" ? [one.reason] : []));
const missing = skipped ?? CORPUS_MISSING;
const sshds = opened.flatMap((one) => (one.kind === "open" ? [one.sshd] : []));

interface Judged {
  readonly name: string;
  readonly connections: number;
  readonly wrong: readonly unknown[];
}

/** What this sshd accepts of the files. */
async function judgeAll(sshd: Sshd, files: readonly CorpusFile[]): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const { name, text } of files) {
    const fuzzCase = { tree: { [MAIN_FILE]: text }, connections: CONNECTIONS };
    const { accepted, pairs, differences } = await judgeFix(sshd, fuzzCase, OURS, FIX_ALL);
    const wrong = differences.map(({ what, sshd }) => ({ name, what, sshd }));
    if (accepted) judged.push({ name, connections: pairs / 2, wrong });
  }
  return judged;
}

describeUnless(missing, "fixes of real files", () => {
  afterAll(() => Promise.all(sshds.map((sshd) => sshd.close())));

  it("are accepted, close what they name, move nothing else, change nothing twice, and hold no line too many", async () => {
    const files = corpusFiles("files");
    const parts = sshds.map((sshd, part) =>
      judgeAll(
        sshd,
        files.filter((_, index) => index % sshds.length === part),
      ),
    );
    const judged = (await Promise.all(parts)).flat();
    expect(judged.flatMap(({ wrong }) => wrong).slice(0, 5)).toEqual([]);
    expect(judged.filter(({ connections }) => connections < 8)).toEqual([]);
    expect(judged.length).toBeGreaterThan(350);
  }, 900_000);
});
