/** Invariant: a rule finds nothing where nothing stands that it is about. */
import { expect, test } from "vitest";
import { RULES } from "../rules/index.ts";
import { audit } from "../src/lint/audit.ts";
import { exposure } from "../src/policy/exposure.ts";
import { lineUses } from "../src/policy/line-uses.ts";
import { generateCase } from "./fuzz/generate.ts";
import { makeRandom } from "./fuzz/random.ts";
import { load, release as releaseOf } from "./sshd/reading.ts";

const EVERYWHERE = RULES.map(({ about: _, ...rule }) => rule);

test.each(["7.4", "8.4", "9.2+debian", "10.0"])("of %s", (spec) => {
  const release = releaseOf(spec);
  const random = makeRandom(Number(process.env["FUZZ_SEED"] ?? 20_261_127));
  const found = new Set<string>();
  for (let number = 0; number < 100; number++) {
    const { tree } = generateCase({ release, seeds: [] }, random);
    const config = load(tree, release);
    const open = exposure(config, { answers: "open" });
    const uses = lineUses(config);
    const [findings, wherever] = [RULES, EVERYWHERE].map((rules) =>
      audit(config, open, rules, { lineUses: uses }),
    );
    expect(wherever, JSON.stringify(tree)).toEqual(findings);
    for (const { rule } of findings ?? []) found.add(rule);
  }
  // else nothing was tried
  expect(found.size).toBeGreaterThan(15);
});
