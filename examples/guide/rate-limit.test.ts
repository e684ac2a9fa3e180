import { createTestApp } from "decorator-framework/testing";
import { expect, test } from "vitest";
import "./rate-limit.ts";

test("the command runs once in 60 seconds, and a refusal says how long to wait", async () => {
  await using t = await createTestApp();
  expect(await t.handle("/api")).toMatchObject({ status: "ok", text: "API调用成功" });
  await t.advance("20s");
  expect(await t.handle("/api", { locale: "zh" })).toMatchObject({
    status: "cooling_down",
    text: "/api 刚刚用过，请在 40 秒后重试。",
    retryAfter: 40_000,
  });
  await t.advance("40s");
  expect(await t.handle("/api")).toMatchObject({ status: "ok" });
});

test("by user: the others need not wait", async () => {
  await using t = await createTestApp();
  const statuses = [];
  for (const user of ["ann", "bob", "ann"]) statuses.push((await t.handle("/my-api", { user })).status);
  expect(statuses).toEqual(["ok", "ok", "cooling_down"]);
});
