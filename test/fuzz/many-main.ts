/** npm run fuzz-many -- [--seed N] [--time SECONDS]: many files in one run beside each alone. Exit code 1 when they differ. */
import { parseArgs } from "node:util";
import { nextDifference } from "./many.ts";
import { makeRandom } from "./random.ts";

const { values } = parseArgs({
  options: { seed: { type: "string" }, time: { type: "string", default: "60" } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const until = Date.now() + Number(values.time) * 1000;
console.log(`seed ${seed}`);
const found = await nextDifference(makeRandom(seed), () => Date.now() > until);
if (typeof found === "number") console.log(`${found} families: none differs`);
else {
  console.log(JSON.stringify(found, null, 1));
  process.exitCode = 1;
}
