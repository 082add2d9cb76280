/** 400 recorded random trees, four connections each, on thirteen releases: verdict, first error line, values. */
import { describe, expect, it } from "vitest";
import type { Config } from "../src/config/config.ts";
import { connectionOf, load, release, settingsOf, verdictOf } from "./sshd/reading.ts";
import {
  type GeneratedAnswer,
  generatedCases,
  generatedRelease,
  recordedDefaults,
} from "./sshd/recordings.ts";
import type { ServerTree } from "./sshd/server-tree.ts";

const BASE = "/etc/ssh";
const DEFAULTS = recordedDefaults();
const CASES = generatedCases().map((recorded) => ({ ...recorded, tree: placed(recorded.files) }));
const RELEASES = Object.keys(DEFAULTS);

function placed(files: Readonly<Record<string, string>>): ServerTree {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`${BASE}/${path}`, text.replaceAll("@BASE@", BASE)]),
  );
}

function differences(
  config: Config,
  answer: GeneratedAnswer,
  connections: readonly string[],
  of: string,
): string[] {
  const verdict = verdictOf(config);
  const error = answer.error?.replaceAll("@BASE@", BASE) ?? null;
  if (verdict.accepted !== answer.accepted || verdict.error !== error)
    return [`verdict ${JSON.stringify(verdict)}, recorded ${JSON.stringify(error)}`];
  if (answer.settings === undefined) return [];
  return answer.settings.flatMap((recorded, index) =>
    settingDifferences(config, connections[index] ?? "", { ...DEFAULTS[of], ...recorded }).map(
      (difference) => `${connections[index]}: ${difference}`,
    ),
  );
}

function settingDifferences(
  config: Config,
  specification: string,
  recorded: Readonly<Record<string, string>>,
): string[] {
  const ours = settingsOf(config, connectionOf(specification), { missing: "as-sshd" });
  if ("error" in ours)
    return ours.error === recorded["error"] ? [] : [`${ours.error}, recorded ${JSON.stringify(recorded)}`];
  if (recorded["error"] !== undefined) return [`an answer, recorded ${recorded["error"]}`];
  return Object.entries(recorded)
    .map(([keyword, value]) => {
      const printed = (ours.get(keyword) ?? []).join("\n");
      const normal =
        keyword === "permitrootlogin" ? printed.replace("without-password", "prohibit-password") : printed;
      return normal === value
        ? ""
        : `${keyword} ${JSON.stringify(normal)}, recorded ${JSON.stringify(value)}`;
    })
    .filter((difference) => difference !== "");
}

describe("recorded random trees", () => {
  it("holds 400 trees of 13 releases", () => {
    expect(CASES.length).toBe(400);
    expect(RELEASES.length).toBe(13);
  });

  it.each(RELEASES)("reads them as sshd %s does", (of) => {
    const found: string[] = [];
    let answered = 0;
    for (const { id, tree, connections, answers } of CASES) {
      const answer = answers.find(({ releases }) => releases.includes(of));
      if (answer === undefined) continue;
      answered += 1;
      const config = load(tree, release(generatedRelease(of)));
      found.push(...differences(config, answer, connections, of).map((difference) => `${id}: ${difference}`));
    }
    expect(answered).toBe(400);
    expect(found).toEqual([]);
  });
});
