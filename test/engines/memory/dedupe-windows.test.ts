import { expect, test } from "vitest";
import { DedupeWindows } from "../../../src/engines/memory/dedupe-windows.ts";

test("windows that have passed are forgotten, so that memory stays bounded", () => {
  const windows = new DedupeWindows();
  for (let n = 0; n < 1_000; n++) windows.hold(`key-${n}`, `id-${n}`, 100 + n);
  expect(windows.holder("key-0", 99)).toBe("id-0");
  expect(windows.holder("key-0", 600)).toBe(undefined);
  expect(windows.size).toBe(499);
  expect(windows.holder("key-999", 1_098)).toBe("id-999");
  expect(windows.size).toBe(1);
});
