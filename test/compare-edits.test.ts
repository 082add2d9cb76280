/** Edits of real files: what compare says of each is what a real sshd says of the connections that it is asked about. */
import { expect, it } from "vitest";
import type { Config } from "../src/config/config.ts";
import { comparePolicies, type PolicyChange } from "../src/policy/compare.ts";
import { CAPABILITIES, type Capability, type Connection } from "../src/policy/connection.ts";
import { sampleConnections } from "../src/policy/samples.ts";
import { askAll, whatSshdSays } from "./fuzz/asking.ts";
import { CORPUS_MISSING, corpusFiles } from "./sshd/corpus.ts";
import type { Sshd } from "./sshd/driver.ts";
import { load, MAIN_FILE, verdictOf } from "./sshd/reading.ts";
import { describeWithSshd } from "./sshd/sharing.ts";

/** Connections meant for the blocks of either side, beside the witnesses. */
const SAMPLES = 8;

interface Pair {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

function pairs(): Pair[] {
  const texts = new Map(corpusFiles("edits").map(({ name, text }) => [name, text]));
  return [...texts].flatMap(([name, before]) => {
    const after = texts.get(name.replace(".before.", ".after."));
    return name.includes(".before.") && after !== undefined ? [{ name, before, after }] : [];
  });
}

type Said = ReadonlyMap<Capability, string>;

async function sayings(sshd: Sshd, text: string, connections: readonly Connection[]): Promise<Said[]> {
  const printed = await askAll(sshd, { [MAIN_FILE]: text }, connections);
  return printed.map(
    (settings) =>
      new Map(CAPABILITIES.map((capability) => [capability, whatSshdSays(settings, { capability }, sshd)])),
  );
}

function asked(before: Config, after: Config, changes: readonly PolicyChange[]): Connection[] {
  const samples = [before, after].flatMap((config) => sampleConnections(config).slice(0, SAMPLES));
  // a name that no block can have meant cannot be told to sshd
  const sayable = samples.filter(({ user }) => /^[a-z0-9_.-]+$/i.test(user ?? ""));
  return [...changes.map(({ witness }) => witness), ...sayable];
}

const isOpen = (said: string | undefined): boolean => said?.startsWith("open") === true;

await describeWithSshd({ missing: CORPUS_MISSING }, "real edits", (sshd) => {
  it("are compared as sshd treats their connections", async () => {
    const wrong: unknown[] = [];
    let [compared, changed, moved] = [0, 0, 0];
    for (const { name, ...texts } of pairs()) {
      const before = load({ [MAIN_FILE]: texts.before }, sshd.release);
      const after = load({ [MAIN_FILE]: texts.after }, sshd.release);
      if (!verdictOf(before).accepted || !verdictOf(after).accepted) continue;
      const { changes, complete } = comparePolicies(before, after);
      compared += 1;
      changed += changes.length;
      if (!complete) wrong.push({ name, complete });
      const connections = asked(before, after, changes);
      const was = await sayings(sshd, texts.before, connections);
      const is = await sayings(sshd, texts.after, connections);
      for (const [index, { capability, change, grants, witness }] of changes.entries()) {
        const [from, to] = [was[index]?.get(capability), is[index]?.get(capability)];
        const told =
          grants.length > 0 ? isOpen(from) && isOpen(to) && from !== to : isOpen(from) !== isOpen(to);
        if (!told || (grants.length === 0 && isOpen(to) !== (change === "gained")))
          wrong.push({ name, capability, change, witness, from, to });
      }
      for (const [index, connection] of connections.entries()) {
        for (const capability of CAPABILITIES) {
          const [from, to] = [was[index]?.get(capability), is[index]?.get(capability)];
          if (isOpen(from) === isOpen(to)) continue;
          moved += 1;
          const direction = isOpen(to) ? "gained" : "lost";
          if (!changes.some((one) => one.capability === capability && one.change === direction))
            wrong.push({ name, capability, direction, connection });
        }
      }
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    // a comparison of nothing would be worth nothing
    expect(compared).toBeGreaterThan(20);
    expect(changed).toBeGreaterThan(20);
    expect(moved).toBeGreaterThan(20);
  }, 600_000);
});
