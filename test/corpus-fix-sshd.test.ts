/** `audit --fix --unsafe-fixes` on real files, before the machine's sshd, as the campaign of fixes judges it. */
import { afterAll, describe, expect, it } from "vitest";
import { FIX_ALL, judgeFix } from "./fuzz/fixes.ts";
import { OURS } from "./fuzz/judge.ts";
import { CORPUS_MISSING, corpusFiles } from "./sshd/corpus.ts";
import { openSshd } from "./sshd/driver.ts";
import { MAIN_FILE } from "./sshd/reading.ts";

/** Known to the judge's accounts or not. */
const CONNECTIONS = ["deploy"].map(
  (user) => `user=${user},host=10.0.0.5,addr=10.0.0.5,laddr=192.0.2.1,lport=22`,
);

const opened = await openSshd();
const missing = opened.kind === "skipped" ? opened.reason : CORPUS_MISSING;

describe.skipIf(missing !== null)(`fixes of real files${missing === null ? "" : `: ${missing}`}`, () => {
  afterAll(() => (opened.kind === "open" ? opened.sshd.close() : undefined));

  it("are accepted, close what they name, move nothing else, and hold no line too many", async () => {
    if (opened.kind === "skipped") return;
    const wrong: unknown[] = [];
    let [fixed, asked] = [0, 0];
    for (const { name, text } of corpusFiles("files")) {
      const fuzzCase = { tree: { [MAIN_FILE]: text }, connections: CONNECTIONS };
      const { accepted, pairs, differences } = await judgeFix(opened.sshd, fuzzCase, OURS, FIX_ALL);
      for (const { what, sshd } of differences) wrong.push({ name, what, sshd });
      if (accepted) fixed += 1;
      asked += pairs;
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(fixed).toBeGreaterThan(350);
    expect(asked).toBeGreaterThan(350 * 8);
  }, 900_000);
});
