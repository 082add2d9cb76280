/** Found cases replayed, a campaign against the machine's sshd, and seeded faults that must turn it red. */
import { describe, expect, it } from "vitest";
import type { Config } from "../src/config/config.ts";
import { type Campaign, type CampaignResult, runCampaign } from "./fuzz/campaign.ts";
import { fuzzFixtures } from "./fuzz/fixture.ts";
import { OURS, type Reading } from "./fuzz/judge.ts";
import { drawLines, FAMILIES } from "./fuzz/lines.ts";
import { makeRandom } from "./fuzz/random.ts";
import { corpusFiles } from "./sshd/corpus.ts";
import { connectionOf, load, MAIN_FILE, release } from "./sshd/reading.ts";
import { describeWithSshd } from "./sshd/sharing.ts";

const PAIRS = 3_000;
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_124);

describe("cases that the fuzzer found", () => {
  it("there are some", () => {
    expect(fuzzFixtures().length).toBeGreaterThan(50);
  });

  it.each(fuzzFixtures())("$name", ({ release: of, tree, connection, what, sshd }) => {
    const config = load(tree, release(of));
    const { accepted, error } = OURS.verdict(config);
    if (what === "verdict") {
      expect(accepted ? "accepted" : error).toBe(sshd);
      return;
    }
    if (what === "messages") {
      const lines = sshd.split("\n");
      expect(OURS.messages(config).slice(0, lines.length)).toEqual(lines);
      return;
    }
    const settings = OURS.settings(config, connectionOf(connection ?? ""));
    if (what === "answer") expect("error" in settings ? settings.error : "an answer").toBe(sshd);
    else if ("error" in settings) expect(settings.error).toBe(sshd);
    else expect((settings.get(what) ?? []).join("\n")).toBe(sshd);
  });
});

describe("random numbers", () => {
  it("are the same for the same seed", () => {
    const draw = (seed: number): number[] => {
      const random = makeRandom(seed);
      return random.some(20, 20, () => random.int(1000));
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });
});

await describeWithSshd({}, "random configurations", (sshd) => {
  function campaign(change: Partial<Campaign>): Promise<CampaignResult> {
    const seeds = corpusFiles("files").map(({ text }) => text);
    return runCampaign(sshd, {
      seed: SEED,
      pairs: PAIRS,
      milliseconds: Number.POSITIVE_INFINITY,
      mostFound: 5,
      seeds,
      ...change,
    });
  }

  it(`agrees on ${PAIRS} random pairs (seed ${SEED})`, async () => {
    const { pairs, accepted, trees, differences } = await campaign({});
    expect(differences).toEqual([]);
    expect(pairs).toBeGreaterThanOrEqual(PAIRS);
    // a comparison of nothing but refusals would be worth little
    expect(accepted).toBeGreaterThan(trees / 3);
  }, 600_000);

  const LINES: Partial<Campaign> = {
    pairs: 600,
    seeds: [],
    generate: (random) => drawLines(random, random.pick(Object.keys(FAMILIES))),
  };

  it("agrees on lines of few pieces of text", async () => {
    const { accepted, trees, differences } = await campaign(LINES);
    expect(differences).toEqual([]);
    expect(accepted).toBeGreaterThan(trees / 5);
    expect(accepted).toBeLessThan(trees / 2);
  }, 600_000);

  it("finds a seeded fault in them: quotes that do not count", async () => {
    const unquoted = (text: string): Config => load({ [MAIN_FILE]: text.replaceAll('"', "") }, sshd.release);
    const verdict: Reading["verdict"] = (config) =>
      OURS.verdict(unquoted(config.files[0]?.source.text ?? ""));
    const { differences } = await campaign({ ...LINES, mostFound: 1, reading: { ...OURS, verdict } });
    expect(differences).toHaveLength(1);
  }, 300_000);

  const FAULTS: readonly (readonly [string, string, Partial<Reading>])[] = [
    [
      "forgets the groups of a user",
      "group",
      { settings: (config, connection) => OURS.settings(config, { ...connection, groups: null }) },
    ],
    [
      "lets the last line win",
      "",
      { settings: (config, connection) => OURS.settings(reversed(config), connection) },
    ],
    ["accepts everything", "", { verdict: () => ({ accepted: true, error: null }) }],
  ];

  it.each(FAULTS)(
    "finds and shrinks a seeded fault: a reading that %s",
    async (_name, mark, fault) => {
      const { differences } = await campaign({ mostFound: 1, reading: { ...OURS, ...fault } });
      const [found] = differences;
      if (found === undefined) throw new Error("nothing found");
      const text = Object.values(found.tree).join("");
      expect(text.toLowerCase()).toContain(mark.toLowerCase());
      expect(text.split("\n").length).toBeLessThan(12);
    },
    300_000,
  );
});

function reversed(config: Config): Config {
  return { ...config, directives: [...config.directives].reverse() };
}
