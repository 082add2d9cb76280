/**
 * The rules on real files: what they find is committed, so that a change of behaviour shows in review; nothing is open
 * by a finding where every connection is closed, and none is missing where one is open.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { RULES } from "../rules/index.ts";
import type { Config } from "../src/config/config.ts";
import { audit } from "../src/lint/audit.ts";
import type { Finding } from "../src/lint/rule.ts";
import { requirements } from "../src/policy/capabilities.ts";
import type { Capability, Connection } from "../src/policy/connection.ts";
import { evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { exposure } from "../src/policy/exposure.ts";
import { lineUses } from "../src/policy/line-uses.ts";
import { sampleConnections } from "../src/policy/samples.ts";
import { positionAt } from "../src/source/source.ts";
import { describeUnless } from "./needs.ts";
import { CORPUS_MISSING, corpusFiles } from "./sshd/corpus.ts";
import { load, release } from "./sshd/reading.ts";

const REPORT = new URL("../fixtures/corpus-findings.txt", import.meta.url).pathname;
const DEBIAN_12 = "1:9.2p1-2+deb12u10";

/** Rules that say "open" for each capability. */
const OPEN_BY: Readonly<Record<Capability, readonly string[]>> = {
  "tcp-local": ["tcp-forwarding", "reopened-by-match", "disable-forwarding-reopened"],
  "tcp-remote": ["tcp-forwarding", "reopened-by-match", "disable-forwarding-reopened"],
  "unix-local": [
    "tcp-forwarding",
    "reopened-by-match",
    "disable-forwarding-reopened",
    "stream-local-forwarding",
  ],
  "unix-remote": [
    "tcp-forwarding",
    "reopened-by-match",
    "disable-forwarding-reopened",
    "stream-local-forwarding",
  ],
  tun: ["tunnel-device", "reopened-by-match", "disable-forwarding-incomplete", "disable-forwarding-reopened"],
  x11: [
    "x11-forwarding",
    "reopened-by-match",
    "disable-forwarding-incomplete",
    "disable-forwarding-reopened",
  ],
  agent: [
    "agent-forwarding",
    "reopened-by-match",
    "disable-forwarding-incomplete",
    "disable-forwarding-reopened",
  ],
};

interface Audited {
  readonly name: string;
  readonly config: Config;
  readonly findings: readonly Finding[];
}

describeUnless(CORPUS_MISSING, "real files", () => {
  const audited: Audited[] = corpusFiles("files").map(({ name, text }) => {
    const config = load({ "/etc/ssh/sshd_config": text }, release(DEBIAN_12));
    const findings = audit(
      config,
      exposure(config),
      RULES.filter(({ strict }) => strict !== true),
      {
        lineUses: lineUses(config),
      },
    );
    return { name, config, findings };
  });

  it("are all audited", () => {
    expect(audited.length).toBeGreaterThan(400);
  });

  it("give the committed findings", () => {
    const lines = audited.flatMap(({ name, findings }) =>
      findings.map(({ rule, severity, place }) => {
        const { line } = positionAt(place.source, place.start);
        return `${name}:${line} ${severity} ${rule}\n`;
      }),
    );
    const report = lines.join("");
    if (process.env["UPDATE_FIXTURES"] === "1") writeFileSync(REPORT, report);
    expect(report).toBe(readFileSync(REPORT, "utf8"));
  });

  it("have a finding for each kind of forwarding that one of the sampled connections has", () => {
    const missed = audited.flatMap(({ name, config, findings }) =>
      openCapabilities(config)
        .filter((capability) => !findings.some(({ rule }) => OPEN_BY[capability].includes(rule)))
        .map((capability) => `${name} ${capability}`),
    );
    expect(missed).toEqual([]);
  });

  it("have no finding whose witness is closed", () => {
    const alarms = audited.flatMap(({ name, config, findings }) =>
      findings
        .filter(({ witness, capability, rule }) => {
          if (witness === null || capability === null || !OPEN_BY[capability].includes(rule)) return false;
          return !isOpen(config, capability, witness);
        })
        .map(({ rule, message }) => `${name} ${rule} ${message}`),
    );
    expect(alarms).toEqual([]);
  });
});

function openCapabilities(config: Config): Capability[] {
  const samples = sampleConnections(config);
  return (Object.keys(OPEN_BY) as Capability[]).filter((capability) =>
    samples.some((connection) => isOpen(config, capability, connection)),
  );
}

/** By the plain reading, which shares no code with the search. */
function isOpen(config: Config, capability: Capability, connection: Connection): boolean {
  const effective = evaluate(config, connection);
  if (!isAnswer(effective)) return false;
  return requirements(capability, config.release).every(
    ({ keyword, closes }) => !closes(effective.get(keyword)?.values ?? []),
  );
}
