/**
 * npm run fuzz-effects -- --seed N --policies N [--logins] [--chroot DIR]
 *
 * Random small policies: a real sshd, real logins and real forwards of every kind, beside what is predicted; with
 * `--logins` most lines are about who may log in. Needs root.
 * Prints each policy that differs, and at the end how many attempts were seen. Exit code 1 when anything differs.
 */
import { parseArgs } from "node:util";
import { differencesOf, probeTree, whyNoProbe } from "../sshd/probing.ts";
import { drawEffectCase, LOGINS } from "./effect-policies.ts";
import { makeRandom } from "./random.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    policies: { type: "string", default: "100" },
    logins: { type: "boolean", default: false },
    chroot: { type: "string" },
  },
});

const program = values.chroot === undefined ? {} : { chroot: values.chroot };
const missing = whyNoProbe(program);
if (missing !== null) {
  console.error(`fuzz-effects: ${missing}`);
  process.exit(2);
}

const seen = new Map<string, number>();
const unseen = new Map<string, number>();
const count = (map: Map<string, number>, what: string): void => void map.set(what, (map.get(what) ?? 0) + 1);
let differing = 0;
for (let number = 0; number < Number(values.policies); number++) {
  const seed = Number(values.seed) + number;
  const drawn = drawEffectCase(makeRandom(seed), ...(values.logins ? [LOGINS] : []));
  const result = await probeTree(drawn.tree, { ...drawn, program });
  for (const { attempt, observation } of result.attempts) {
    if (observation.observed !== null) count(seen, `${attempt.capability} ${observation.observed}`);
    else count(unseen, `${observation.why}: ${observation.detail.replaceAll(/\d+/g, "N")}`);
  }
  const problems = [
    ...(result.failed === null ? [] : [`failed: ${result.failed}`]),
    ...differencesOf(result),
  ];
  if (problems.length === 0) continue;
  differing++;
  console.log(`DIFFERENCE, seed ${seed}, key options "${drawn.keyOptions}"\n${problems.join("\n")}`);
  for (const [path, text] of Object.entries(drawn.tree)) console.log(`--- ${path}\n${String(text)}`);
}
const total = [...seen.values()].reduce((sum, one) => sum + one, 0);
console.log(`${values.policies} policies, ${total} attempts seen, ${differing} policies differ`);
for (const [what, many] of [...seen].sort()) console.log(`${String(many).padStart(7)} ${what}`);
for (const [what, many] of [...unseen].sort()) console.log(`${String(many).padStart(7)} ${what}`);
process.exitCode = differing === 0 ? 0 : 1;
