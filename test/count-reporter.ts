/** Prints the skipped tests with their reasons, and `N passed, N failed, N skipped` as the last line. */
import type { Reporter, TestCase, TestModule } from "vitest/node";

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const skipped = tests.filter((test) => test.result().state === "skipped");
    const passed = tests.filter((test) => test.result().state === "passed").length;
    const broken = modules.filter(
      (module) => module.state() === "failed" && [...module.children.allTests()].length === 0,
    );
    const failed =
      tests.filter((test) => test.result().state === "failed").length + broken.length + errors.length;
    for (const test of skipped) console.log(`skipped: ${test.fullName}: ${reasonOf(test)}`);
    console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
    // in CI everything that a test needs has been installed, so a skip there hides something
    if (process.env["CI"] === "true" && skipped.length > 0) process.exitCode = 1;
  }
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return result.state === "skipped" ? (result.note ?? "no reason given") : "";
}
