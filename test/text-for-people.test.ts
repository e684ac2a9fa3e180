import { expect, test } from "vitest";
import { ago, cell, harmless, roughly } from "../src/text-for-people.ts";

test.each([
  [0, "0s"],
  [999, "0s"],
  [59_900, "59s"],
  [60_000, "1m"],
  [3 * 60_000 + 20_000, "3m"],
  [5_400_000, "1h"],
  [86_400_000 * 2.5, "2d"],
  [86_400_000 * 400, "400d"],
])("%d ms are roughly %s", (ms, text) => {
  expect(roughly(ms)).toBe(text);
});

test("moments have ages, also those to come", () => {
  expect(ago(1_000_000 - 180_000, 1_000_000)).toBe("3m ago");
  expect(ago(1_000_000 + 7_200_000, 1_000_000)).toBe("in 2h");
  expect(ago(1_000_000, 1_000_000)).toBe("0s ago");
  expect(ago(undefined)).toBe("-");
});

test("what comes from elsewhere stays on its line, and steers no terminal", () => {
  expect(cell("a\n  b\tc")).toBe("a b c");
  expect(cell("")).toBe("-");
  expect(cell("x".repeat(80))).toBe(`${"x".repeat(59)}…`);
  expect(harmless("\u001b[2J\u009b1m\u0007 fine 好\n")).toBe("\ufffd[2J\ufffd1m\ufffd fine 好\n");
});
