/**
 * The search before real sshds, on random trees and on real files: the witness of each region is made an account and
 * given to `sshd -T -C`, and so are sampled connections; what is printed must be what the region says.
 */
import { expect, it } from "vitest";
import type { Config } from "../src/config/config.ts";
import { exposure } from "../src/policy/exposure.ts";
import { type Campaign, type CampaignResult, runCampaign } from "./fuzz/campaign.ts";
import { OURS } from "./fuzz/judge.ts";
import { judgeRegions } from "./fuzz/regions.ts";
import { CORPUS_MISSING, corpusFiles } from "./sshd/corpus.ts";
import { PROGRAMS } from "./sshd/programs.ts";
import { MAIN_FILE } from "./sshd/reading.ts";
import { describeWithSshd } from "./sshd/sharing.ts";

const TREES = 150;
const SEED = 77;

for (const program of PROGRAMS) {
  await describeWithSshd(program, "regions", (sshd) => {
    async function campaign(change: Partial<Campaign>): Promise<CampaignResult> {
      return runCampaign(sshd, {
        seed: SEED,
        pairs: Number.POSITIVE_INFINITY,
        trees: TREES,
        milliseconds: Number.POSITIVE_INFINITY,
        mostFound: 3,
        seeds: corpusFiles("files").map(({ text }) => text),
        judge: judgeRegions,
        ...change,
      });
    }

    it(`say what sshd does, in ${TREES} random trees (seed ${SEED})`, async () => {
      const { differences, pairs, unknown } = await campaign({});
      expect(differences).toEqual([]);
      expect(pairs).toBeGreaterThan(TREES * 5);
      expect(unknown).toBeLessThan(TREES / 10);
    }, 600_000);

    const FAULTS: readonly (readonly [string, (config: Config) => Config])[] = [
      ["takes the last line", (config) => ({ ...config, directives: [...config.directives].reverse() })],
      [
        "forgets the second criterion of a block",
        (config) => {
          for (const block of config.matches) Object.assign(block, { criteria: block.criteria.slice(0, 1) });
          return config;
        },
      ],
    ];

    it.each(FAULTS)(
      "a seeded fault is found: a search that %s",
      async (_name, broken) => {
        const reading = { ...OURS, exposure: (config: Config) => exposure(broken(config)) };
        const { differences } = await campaign({ reading, mostFound: 1, seed: SEED + 1 });
        expect(differences).not.toEqual([]);
      },
      600_000,
    );
  });
}

await describeWithSshd({ missing: CORPUS_MISSING }, "regions of real files", (sshd) => {
  it("say what sshd does, and none is unknown", async () => {
    const connections = ["alice", "root", "deploy"].map(
      (user) => `user=${user},host=10.0.0.5,addr=10.0.0.5,laddr=192.0.2.1,lport=22`,
    );
    const found: unknown[] = [];
    let [accepted, unknown] = [0, 0];
    for (const { name, text } of corpusFiles("files")) {
      const judgement = await judgeRegions(sshd, { tree: { [MAIN_FILE]: text }, connections }, OURS);
      accepted += Number(judgement.accepted);
      unknown += judgement.unknown;
      for (const difference of judgement.differences) found.push({ name, ...difference });
    }
    expect(found.slice(0, 5)).toEqual([]);
    expect(unknown).toBe(0);
    expect(accepted).toBeGreaterThan(350);
  }, 600_000);
});
