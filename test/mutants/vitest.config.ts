import type { ViteUserConfig } from "vitest/config";
import whole from "../../vitest.config.ts";

/**
 * Of the tests that import what is changed, those that need seconds for their answer are left out, as each change starts
 * them again. MUTANT_TESTS names others: "test/host-*.test.ts test/probe.test.ts".
 */
const SLOW = [
  "test/**/*-sshd.test.ts",
  "test/{corpus,forward,frozen,host,probe}*.test.ts",
  "test/{apply-faults,compare-edits,cut-words,fuzz,hostile-images,key-options,start-scripts,start-script-edits}.test.ts",
];

const named = process.env["MUTANT_TESTS"]?.split(" ");

const config: ViteUserConfig = {
  ...(whole.define === undefined ? {} : { define: whole.define }),
  test: {
    include: named ?? ["test/*.test.ts"],
    exclude: ["test/cli*.test.ts", ...(named === undefined ? SLOW : [])],
    setupFiles: "test/property-seed.ts",
    testTimeout: 60_000,
  },
};

export default config;
