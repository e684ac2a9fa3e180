import { expect, test } from "vitest";
import { UseWindows } from "../../../src/engines/memory/use-windows.ts";

test("keys that nobody uses any more are forgotten, so that memory stays bounded", () => {
  const uses = new UseWindows();
  for (let n = 0; n < 1_000; n++) uses.add(`user-${n}`, 100, n);
  expect(uses.size).toBe(1_000);
  uses.within("any", 100, 600);
  expect(uses.size).toBe(499);
  uses.within("any", 100, 1_099);
  expect(uses.size).toBe(0);
});

test("a key asked about with two windows is remembered for the longer one", () => {
  const uses = new UseWindows();
  uses.add("k", 1_000, 0);
  uses.add("k", 10, 500);
  expect(uses.within("k", 10, 510)).toEqual([]);
  expect(uses.within("k", 1_000, 510)).toEqual([0, 500]);
  expect(uses.within("k", 1_000, 1_000)).toEqual([500]);
});
