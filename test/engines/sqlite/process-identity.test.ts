import { expect, test } from "vitest";
import { identifyProcess, isGone } from "../../../src/engines/sqlite/process-identity.ts";

const self = identifyProcess();

test("a process that runs is not gone", () => {
  expect(isGone(self, self, true)).toBe(false);
});

test.runIf(self.boot !== "")("one whose number another process has now is gone", () => {
  expect(isGone({ ...self, born: "1" }, self, true)).toBe(true);
});

test.runIf(self.boot !== "")("one of an earlier boot is gone", () => {
  expect(isGone({ ...self, boot: "earlier" }, self, true)).toBe(true);
});

test.runIf(self.boot !== "")("of one in another container nothing is known", () => {
  expect(isGone({ ...self, space: "pid:[1]", born: "1" }, self, true)).toBe(false);
});

test("where the system does not say, only a number that nobody has on the same host is proof", () => {
  const bare = { boot: "", space: "", born: "", pid: 2 ** 30 };
  expect(isGone(bare, { ...bare, pid: process.pid }, true)).toBe(true);
  expect(isGone(bare, { ...bare, pid: process.pid }, false)).toBe(false);
  expect(isGone({ ...bare, pid: process.pid }, bare, true)).toBe(false);
});
