import { expect, test } from "vitest";
import type { Limits } from "../../src/engine.ts";
import type { PatternMatch } from "../../src/handler.ts";
import { Threshold } from "../../src/patterns/threshold.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";

function matchWith(groups: Record<string, string>): PatternMatch {
  return { text: "", groups, captures: [], index: 0, field: "content", message: {} };
}

test("counts for each key of its own, and together where there is none", async () => {
  const threshold = new Threshold("t", { count: 2, within: "1m", by: (m) => m.groups.ip }, bareEnvironment());
  const answers: boolean[] = [];
  for (const ip of ["a", "b", "a", undefined, "b", undefined]) {
    answers.push(await threshold.reached(matchWith(ip === undefined ? {} : { ip })));
  }
  expect(answers).toEqual([false, false, true, false, true, true]);
});

test("the engine counts once there is one", async () => {
  const calls: unknown[] = [];
  const limits: Limits = {
    take: () => Promise.reject(new Error("not asked for")),
    giveBack: () => Promise.reject(new Error("not asked for")),
    hit: async (...call) => calls.push(call) === 2,
  };
  const environment = bareEnvironment();
  const threshold = new Threshold("t", { count: 9, within: "1m", by: () => "k" }, environment);
  expect(await threshold.reached(matchWith({}))).toBe(false);
  environment.limits = limits;
  expect(await threshold.reached(matchWith({}))).toBe(false);
  expect(await threshold.reached(matchWith({}))).toBe(true);
  expect(calls).toEqual(Array(2).fill(["threshold:t:k", 9, 60_000]));
});

test.each([
  { count: 0, within: "1m" },
  { count: 1.5, within: "1m" },
  { count: 5, within: 0 },
] as const)("refuses %j", (options) => {
  expect(() => new Threshold("t", options, bareEnvironment())).toThrow(
    expect.objectContaining({ code: "THRESHOLD_INVALID", message: expect.stringContaining('"t"') }),
  );
});
