import type { Reporter, TestModule } from "vitest/node";

/**
 * Ends a run with `N passed, N failed, N skipped` alone on a line, and lists what was skipped with its reason, and what
 * was late and passed when it was tried again.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    const skipped: string[] = [];
    const late: string[] = [];
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      const states = tests.map((test) => test.result().state);
      // A file that failed to load has no failed test of its own.
      if (module.state() === "failed" && !states.includes("failed")) failed++;
      passed += states.filter((state) => state === "passed").length;
      failed += states.filter((state) => state === "failed").length;
      for (const test of tests) {
        const result = test.result();
        if (test.diagnostic()?.flaky) late.push(test.fullName);
        if (result.state === "skipped")
          skipped.push(`${test.fullName}${result.note ? `: ${result.note}` : ""}`);
      }
    }
    for (const line of skipped) console.log(`skipped: ${line}`);
    for (const line of late) console.log(`passed when tried again: ${line}`);
    console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  }
}
