/** Real forwards under small random policies: the same few each time; `npm run fuzz-effects` makes as many as one likes. */
import { basename } from "node:path";
import { describe, expect } from "vitest";
import { drawEffectCase } from "./fuzz/effect-policies.ts";
import { makeRandom } from "./fuzz/random.ts";
import { testUnless } from "./needs.ts";
import { differencesOf, probeTree, whyNoProbe } from "./sshd/probing.ts";
import { PROGRAMS } from "./sshd/programs.ts";

/** Each costs a second or two. */
const POLICIES = 4;
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_126);

describe.each(
  PROGRAMS.map((program, index) => ({ program, index, of: basename(program.chroot ?? "this machine") })),
)("random policies on the sshd of $of", ({ program, index }) => {
  const missing = whyNoProbe(program);
  testUnless(missing, "do what is predicted", async () => {
    let seen = 0;
    for (let number = 0; number < POLICIES; number++) {
      const drawn = drawEffectCase(makeRandom(SEED + index * POLICIES + number));
      const result = await probeTree(drawn.tree, { ...drawn, program });
      expect({ failed: result.failed, differences: differencesOf(result) }, JSON.stringify(drawn)).toEqual({
        failed: null,
        differences: [],
      });
      seen += result.attempts.filter(({ observation }) => observation.observed !== null).length;
    }
    expect(seen).toBeGreaterThan(50);
  });
});
