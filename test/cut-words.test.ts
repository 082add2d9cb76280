/** Words of any length in a file, and in what is said about it. */
import { describe, expect, it } from "vitest";
import { RULES } from "../rules/index.ts";
import { cutWords } from "../src/lint/wording.ts";
import { auditRoot, MAIN, makeRoot } from "./auditing.ts";
import { runCli } from "./run-cli.ts";

const LENGTH = 500_000;
const TEXTS = [
  `Allow${".".repeat(LENGTH)}\n`,
  `Include /${"h".repeat(LENGTH)}\n`,
  `Match Address 10.0.0.0/8,${"x".repeat(20_000)}*\nX11Forwarding yes\n`,
];

describe.each(TEXTS.map((text) => [text.slice(0, 20), text] as const))("%s...", (_, text) => {
  const rooted = (): string => makeRoot({ [MAIN]: text });

  it("is cut in each message and note", () => {
    const { findings } = auditRoot({ root: rooted(), rules: RULES });
    expect(findings.length).toBeGreaterThan(0);
    for (const { message, notes } of findings)
      for (const said of [message, ...notes]) expect(said.length).toBeLessThan(2000);
  });

  it("is cut by check", () => {
    const root = rooted();
    for (const format of [[], ["--format", "json"]]) {
      const { stdout } = runCli(["check", ...format, `${root}${MAIN}`]);
      expect(stdout).toContain(MAIN);
      expect(stdout.length).toBeLessThan(5000);
    }
  }, 60_000);
});

it("stays whole up to 400 characters, and is not cut inside a character of UTF-8", () => {
  const word = "a".repeat(400);
  expect(cutWords(`x ${word} y`)).toBe(`x ${word} y`);
  expect(cutWords(`x ${word}a y`)).toBe(`x ${word}... y`);
  const accented = `${"a".repeat(399)}\xc3\xa0b`;
  expect(cutWords(`${accented} y`)).toBe(`${"a".repeat(399)}... y`);
});
