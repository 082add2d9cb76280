/**
 * The search before real sshds: for random trees, each region's witness is given to `sshd -T -C`, and what is printed
 * must be open or closed as the region says.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { Account } from "../src/files/tree.ts";
import type { Answer } from "../src/policy/answer.ts";
import { requirements } from "../src/policy/capabilities.ts";
import { CAPABILITIES } from "../src/policy/connection.ts";
import { exposure } from "../src/policy/exposure.ts";
import { locate } from "../src/policy/locate.ts";
import { formatSpecification } from "../src/policy/specification.ts";
import { generateCase } from "./fuzz/generate.ts";
import { printedSettings } from "./fuzz/judge.ts";
import { makeRandom } from "./fuzz/random.ts";
import { GROUPS_OF } from "./sshd/accounts.ts";
import { HOST_KEY, openSshd, type Sshd } from "./sshd/driver.ts";
import { PROGRAMS } from "./sshd/programs.ts";
import { connectionOf, load, type Settings, verdictOf } from "./sshd/reading.ts";

const TREES = 120;
const SEED = 77;

const ACCOUNTS: readonly Account[] = Object.entries(GROUPS_OF).map(([name, groups], index) => ({
  name,
  uid: name === "root" ? 0 : 4000 + index,
  gid: name === "root" ? 0 : 4000 + index,
  home: `/home/${name}`,
  shell: "/bin/sh",
  groups,
}));

/** Whether what sshd prints leaves the capability open; null when it prints nothing. */
function isOpen(printed: Settings, { capability }: Answer, sshd: Sshd): boolean | null {
  if ("error" in printed) return null;
  return requirements(capability, sshd.release).every(
    ({ keyword, closes }) => !closes((printed.get(keyword) ?? []).flatMap((line) => line.split(" "))),
  );
}

for (const program of PROGRAMS) {
  const opened = await openSshd(program);
  const title = opened.kind === "open" ? opened.sshd.name : opened.reason;

  describe.skipIf(opened.kind === "skipped")(`witnesses on ${title}`, () => {
    afterAll(() => (opened.kind === "open" ? opened.sshd.close() : undefined));

    it("and every connection lies in a region that says what sshd does", async () => {
      if (opened.kind === "skipped") return;
      const { sshd } = opened;
      const wrong: unknown[] = [];
      let asked = 0;
      for (let number = 0; number < TREES / 3; number++) {
        const random = makeRandom(SEED * 2000 + number);
        const { tree, connections } = generateCase({ release: sshd.release, seeds: [] }, random);
        const config = load(tree, sshd.release);
        if (!verdictOf(config).accepted) continue;
        sshd.place(tree);
        const { answers } = exposure(config);
        // without a VRF, which the search assumes, the routing domain is empty
        for (const text of connections) {
          const specification = `${text.replace(/,rdomain=[^,]*/, "")},rdomain=`;
          const printed = printedSettings(await sshd.run(["-T", ...HOST_KEY, "-C", specification]));
          if ("error" in printed) continue;
          for (const capability of CAPABILITIES) {
            const answer = locate(config, answers, capability, connectionOf(specification));
            asked += 1;
            if (answer === null || answer.allowed !== isOpen(printed, answer, sshd))
              wrong.push({ tree, specification, capability, answer });
          }
        }
      }
      expect(wrong.slice(0, 3)).toEqual([]);
      expect(asked).toBeGreaterThan(TREES * 5);
    }, 300_000);

    it(`are treated as their regions say, in ${TREES} random trees (seed ${SEED})`, async () => {
      if (opened.kind === "skipped") return;
      const { sshd } = opened;
      const wrong: unknown[] = [];
      let asked = 0;
      for (let number = 0; number < TREES; number++) {
        const { tree } = generateCase({ release: sshd.release, seeds: [] }, makeRandom(SEED * 1000 + number));
        const config = load(tree, sshd.release);
        if (!verdictOf(config).accepted) continue;
        sshd.place(tree);
        const runs = new Map<string, Settings>();
        for (const answer of exposure(config, { accounts: ACCOUNTS }).answers) {
          if (answer.witness === null || answer.allowed === "unknown") continue;
          const specification = formatSpecification(answer.witness);
          const printed =
            runs.get(specification) ??
            printedSettings(await sshd.run(["-T", ...HOST_KEY, "-C", specification]));
          runs.set(specification, printed);
          asked += 1;
          if (isOpen(printed, answer, sshd) !== answer.allowed)
            wrong.push({ tree, specification, answer, printed: "error" in printed ? printed : null });
        }
      }
      expect(wrong.slice(0, 3)).toEqual([]);
      expect(asked).toBeGreaterThan(TREES * 5);
    }, 300_000);
  });
}
