/**
 * Prints `N passed, N failed` alone on the last line, which is what reads the suite's result; before it those that took a second
 * try, as a test that changes its mind is not as good as one that does not.
 */
import type { Reporter, TestModule } from "vitest/node";

// biome-ignore lint/style/noDefaultExport: vitest loads a reporter by its default export
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    const flaky: string[] = [];
    for (const module of modules) {
      // A file that cannot be loaded has no tests to count, and has failed all the same.
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (test.diagnostic()?.flaky === true) flaky.push(`${module.relativeModuleId}: ${test.fullName}`);
        if (state === "passed") passed += 1;
        else if (state === "skipped") skipped += 1;
        else failed += 1;
      }
    }
    // Under CI a skipped test is one that did not do its work.
    if (process.env.CI === "true" && skipped > 0) {
      failed += skipped;
      process.exitCode = 1;
    }
    const told = flaky.map((name) => `flaky, passed at the second try: ${name}\n`).join("");
    process.on("exit", () => process.stdout.write(`\n${told}${passed} passed, ${failed} failed\n`));
  }
}
