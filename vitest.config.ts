import type { ViteUserConfig } from "vitest/config";

/**
 * Tests that start the command line as a user does: they run against the bundle, which is what users have. From the
 * source (SOURCE_CLI=1) each start takes a second and more.
 */
const BUNDLE_TESTS = ["test/cli*.test.ts"];

const config: ViteUserConfig = {
  test: {
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // all cores: by default one is left idle, which of two is half
    maxWorkers: "100%",
    reporters: ["default", "./test/count-reporter.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "source",
          include: ["test/**/*.test.ts"],
          setupFiles: "test/property-seed.ts",
          exclude: ["test/bundle/**", ...(process.env["SOURCE_CLI"] === "1" ? [] : BUNDLE_TESTS)],
        },
      },
      {
        extends: true,
        test: {
          name: "bundle",
          include: [...BUNDLE_TESTS, "test/bundle/**/*.test.ts"],
          env: { SSHD_POLICY_BUNDLE: "1" },
          globalSetup: "./test/bundle/build.ts",
        },
      },
    ],
  },
  define: { __VERSION__: JSON.stringify("0.0.0-test") },
};

export default config;
