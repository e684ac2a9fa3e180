import { reOn } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";
import { expect, test } from "vitest";
import "./patterns.ts";

test("a line with an error runs the detector on the part that matched", async () => {
  await using t = await createTestApp();
  expect(await t.match("2025-01-15 ERROR disk full")).toEqual([
    { handler: "error_detector", status: "ok", value: "检测到错误: ERROR disk full" },
  ]);
  expect(await t.match("2025-01-15 INFO ready")).toEqual([]);
});

test("the detector reads the field it was declared for, and no other", async () => {
  await using t = await createTestApp();
  expect(await t.match({ content: "all is well", title: "ERROR in the title" })).toEqual([]);
  expect(await t.match({ content: "ERROR 503", title: "" })).toMatchObject([
    { value: "检测到错误: ERROR 503" },
  ]);
});

test("all patterns that match are run, the smallest priority first", async () => {
  reOn("disk_detector", "content", /disk (?<state>\w+)/, { priority: -1 }).execute((m) => m.groups.state);
  await using t = await createTestApp();
  const results = await t.match("ERROR disk full");
  t.app.registry.remove("disk_detector");
  expect(results.map(({ handler, value }) => [handler, value])).toEqual([
    ["disk_detector", "full"],
    ["error_detector", "检测到错误: ERROR disk full"],
  ]);
});
