/**
 * `audit --fix --unsafe-fixes` on real files, before the machine's sshd: it accepts the result, says for every
 * connection asked that TCP forwarding is closed, and prints no other value than before but those that a finding named.
 */
import { structuredPatch } from "diff";
import { afterAll, describe, expect, it } from "vitest";
import { RULES } from "../rules/index.ts";
import { keywordOf } from "../src/config/change.ts";
import type { Config } from "../src/config/config.ts";
import { type Plan, planFix } from "../src/fix/plan.ts";
import { audit } from "../src/lint/audit.ts";
import type { Finding } from "../src/lint/rule.ts";
import { exposure } from "../src/policy/exposure.ts";
import { lineUses } from "../src/policy/line-uses.ts";
import { sampleConnections } from "../src/policy/samples.ts";
import { formatSpecification } from "../src/policy/specification.ts";
import { printedSettings } from "./fuzz/judge.ts";
import { CORPUS_MISSING, corpusFiles } from "./sshd/corpus.ts";
import { HOST_KEY, openSshd, type Sshd } from "./sshd/driver.ts";
import { load, MAIN_FILE, type Settings } from "./sshd/reading.ts";
import { memoryTree } from "./sshd/server-tree.ts";

const CONNECTIONS = 8;

const DEFAULT_RULES = RULES.filter(({ strict }) => strict !== true);

function planFor(text: string, sshd: Sshd): Plan {
  return planFix({
    tree: memoryTree({ [MAIN_FILE]: text }),
    path: MAIN_FILE,
    load: { release: sshd.release },
    audit: (config) => findingsOf(config),
    unsafe: true,
  });
}

function findingsOf(config: Config): readonly Finding[] {
  return audit(config, exposure(config), DEFAULT_RULES, { lineUses: lineUses(config) });
}

/** Connections that the file's own blocks are about first, then others, all known to the judge's accounts or not. */
function specificationsFor(config: Config): string[] {
  const [stranger, root, ...meant] = sampleConnections(config);
  const others = ["bob", "carol", "deploy", "guest", "nosuch", "git"].flatMap((user) =>
    stranger === undefined ? [] : [{ ...stranger, user, addr: "10.0.0.5", host: "10.0.0.5" }],
  );
  const all = [stranger, root, ...meant, ...others].flatMap((connection) =>
    connection === undefined || connection.user?.includes(",") ? [] : [formatSpecification(connection)],
  );
  return [...new Set(all)].slice(0, CONNECTIONS);
}

async function printed(sshd: Sshd, text: string, specifications: readonly string[]): Promise<Settings[]> {
  sshd.place({ [MAIN_FILE]: text });
  const runs: Settings[] = [];
  for (const specification of specifications)
    runs.push(printedSettings(await sshd.run(["-T", ...HOST_KEY, "-C", specification])));
  return runs;
}

function moved(before: Settings, after: Settings): string[] {
  if ("error" in before || "error" in after)
    return ["error" in before ? before.error : "an error afterwards"];
  return [...before]
    .filter(([keyword, values]) => values.join("\n") !== (after.get(keyword) ?? []).join("\n"))
    .map(([keyword]) => keyword);
}

function isClosed(settings: Settings): boolean {
  if ("error" in settings) return false;
  return settings.get("allowtcpforwarding")?.[0] === "no" || settings.get("disableforwarding")?.[0] === "yes";
}

/** Each run of changed lines, taken back alone, must bring back a finding: else it was not needed. */
function needlessHunks(plan: Plan, sshd: Sshd): number {
  const [file] = plan.files;
  if (file === undefined) return 0;
  const { hunks } = structuredPatch("a", "b", file.before, file.after, "", "", { context: 0 });
  const lines = file.after.split("\n");
  return hunks.filter((hunk) => {
    const removed = hunk.lines.filter((line) => line.startsWith("-")).map((line) => line.slice(1));
    const start = hunk.newLines === 0 ? hunk.newStart : hunk.newStart - 1;
    const without = [...lines.slice(0, start), ...removed, ...lines.slice(start + hunk.newLines)].join("\n");
    return planFor(without, sshd).files.length === 0;
  }).length;
}

const opened = await openSshd();
const missing = opened.kind === "skipped" ? opened.reason : CORPUS_MISSING;

describe.skipIf(missing !== null)(`fixes of real files${missing === null ? "" : `: ${missing}`}`, () => {
  afterAll(() => (opened.kind === "open" ? opened.sshd.close() : undefined));

  it("are accepted, close TCP forwarding, move nothing that no finding named, and hold no line too many", async () => {
    if (opened.kind === "skipped") return;
    const { sshd } = opened;
    const wrong: unknown[] = [];
    let fixed = 0;
    let asked = 0;
    for (const { name, text } of corpusFiles("files")) {
      sshd.place({ [MAIN_FILE]: text });
      if ((await sshd.run(["-t", ...HOST_KEY])).exit !== 0) continue;
      const plan = planFor(text, sshd);
      const after = plan.files[0]?.after ?? text;
      if (after !== text) fixed += 1;
      if (plan.moved.length > 0 || plan.broken.length > 0) wrong.push({ name, plan: plan.moved[0] });
      sshd.place({ [MAIN_FILE]: after });
      const verdict = await sshd.run(["-t", ...HOST_KEY]);
      if (verdict.exit !== 0) wrong.push({ name, refused: verdict.stderr });
      if (planFor(after, sshd).files.length > 0) wrong.push({ name, second: "changes something" });
      if (needlessHunks(plan, sshd) > 0) wrong.push({ name, diff: "holds a line that is not needed" });
      const named = plan.changes.map(keywordOf);
      const specifications = specificationsFor(load({ [MAIN_FILE]: text }, sshd.release));
      const old = await printed(sshd, text, specifications);
      const now = await printed(sshd, after, specifications);
      asked += now.length;
      specifications.forEach((specification, index) => {
        const [before = { error: "" }, afterwards = { error: "" }] = [old[index], now[index]];
        const others = moved(before, afterwards).filter((keyword) => !named.includes(keyword));
        if (!isClosed(afterwards) || others.length > 0) wrong.push({ name, specification, others });
      });
    }
    expect(wrong).toEqual([]);
    expect(fixed).toBeGreaterThan(250);
    expect(asked).toBeGreaterThan(350 * CONNECTIONS);
  }, 900_000);
});
