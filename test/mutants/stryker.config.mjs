/**
 * Seeded faults: `npm run mutants -- -m src/edit/edit.ts` changes conditions, operators and statements of the files
 * named, one at a time, and lists the changes that no test sees. Texts are left alone: most are messages, and a test that
 * repeated each would be no better than the message.
 */
export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "test/mutants/vitest.config.ts", related: true },
  coverageAnalysis: "perTest",
  mutator: { excludedMutations: ["StringLiteral", "ObjectLiteral", "ArrayDeclaration", "OptionalChaining"] },
  concurrency: 1,
  timeoutMS: 10_000,
  reporters: ["clear-text", "progress-append-only"],
  clearTextReporter: { logTests: false, reportScoreTable: false, allowColor: false },
  tempDirName: ".mutants",
  ignorePatterns: ["dist"],
  // Stryker reads it with a compiler that TypeScript 7 no longer has
  tsconfigFile: "none",
};
