/** Small recorded cases, missing `-C` fields included: our answer "as sshd" against each release's own. */
import { describe, expect, it } from "vitest";
import type { Release } from "../grammar/release.ts";
import { refusedSpecification } from "../src/policy/evaluate.ts";
import { connectionOf, load, MAIN_FILE, release, settingsOf, verdictOf } from "./sshd/reading.ts";
import { type EdgeAnswer, type EdgeCase, edgeCases } from "./sshd/recordings.ts";
import type { ServerTree } from "./sshd/server-tree.ts";

const BASE = "/etc/ssh";
const CASES = edgeCases();

/**
 * The machines with Debian's releases had no /etc/services, so they refused a service name. Ours takes it and says what
 * it depends on (docs/known-differences.md).
 */
const WITHOUT_SERVICES: readonly string[] = ["8.4+debian", "9.2+debian", "10.0+debian", "10.6+debian"];

/** An error line, or the printed values. */
type Outcome = { readonly error: string } | { readonly value: readonly string[] };

function placed({ config, files = {} }: EdgeCase): ServerTree {
  const others = Object.entries(files).map(([path, text]) => [`${BASE}/${path}`, text]);
  const tree = Object.fromEntries([...others, [MAIN_FILE, config]]);
  return Object.fromEntries(Object.entries(tree).map(([path, text]) => [path, inBase(String(text))]));
}

function inBase(text: string): string {
  return text.replaceAll("@BASE@", BASE).replaceAll("@FILE@", MAIN_FILE);
}

function recordedOutcome({ exit, value, stderr }: EdgeAnswer): Outcome {
  if (exit === 0) return { value: value ?? [] };
  return { error: inBase(stderr?.[0] ?? "") };
}

function ourOutcome(edge: EdgeCase, of: Release): Outcome {
  const commandLine = edge.options.filter((option) => option !== "-o");
  const config = load(placed(edge), of, commandLine);
  const connection = connectionOf(edge.connection);
  const refused = refusedSpecification(of, connection);
  if (refused !== null) return { error: refused };
  const { error } = verdictOf(config);
  // the answers were recorded as text, which took the carriage returns out
  if (error !== null) return { error: error.replaceAll("\r", "") };
  const settings = settingsOf(config, connection, { missing: "as-sshd" });
  return "error" in settings
    ? { error: String(settings.error) }
    : { value: settings.get(edge.keyword) ?? [] };
}

describe("recorded edge cases", () => {
  it("holds 155", () => {
    expect(CASES.length).toBe(155);
  });

  it.each(CASES.map((edge) => [edge.name, edge] as const))("%s", (_name, edge) => {
    for (const answer of edge.answers) {
      const recorded = recordedOutcome(answer);
      for (const of of answer.releases) {
        const known = edge.name === "Port ssh" && WITHOUT_SERVICES.includes(of);
        const expected = known ? { value: ["22"] } : recorded;
        expect({ of, ...ourOutcome(edge, release(of)) }).toEqual({ of, ...expected });
      }
    }
  });
});
