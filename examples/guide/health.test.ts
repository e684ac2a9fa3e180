import { createApp } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";
import { expect, test } from "vitest";
import "./health.ts";

const answer = "健康检查: 状态正常 - 框架运行中";

test("the command answers whoever writes to the app", async () => {
  await using t = await createTestApp();
  expect(await t.handle("/health")).toMatchObject({ status: "ok", text: answer });
});

test("over HTTP: /health looks at the engine, and the command is there, too", async () => {
  await using app = createApp({ engine: "memory:", log: "silent", http: { port: 0 }, env: {} });
  await app.start();

  for (const path of ["/health", "/live", "/ready"]) {
    const response = await fetch(`${app.url}${path}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: "ok" });
  }
  expect(await (await fetch(`${app.url}/health`)).json()).toMatchObject({
    state: "running",
    engine: { status: "ok" },
  });

  const command = await fetch(`${app.url}/commands`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: "/health" }),
  });
  expect(await command.json()).toMatchObject({ status: "ok", text: answer });
});
