/*
 * The guide, 监控与告警 1: 健康检查端点, `health_check`, and 部署步骤 4: `curl http://your-domain/health`.
 *
 *   node examples/guide/health.ts        then: curl http://127.0.0.1:8080/health
 *
 * The guide has a command that says it is an endpoint, and a curl that nothing answers. Here both are there: the command for
 * people who write to the app, and /health, /live and /ready for machines, which really look at the engine.
 */

import { commandOn, createApp } from "decorator-framework";

/** 健康检查端点 */
commandOn("health_check", "/health").execute(async () => "健康检查: 状态正常 - 框架运行中");

if (import.meta.main) {
  const app = createApp({ engine: "memory:", http: true });
  await app.start();
  console.log((await app.handle("/health")).text);
  console.log(`curl ${app.url}/health`);
  process.once("SIGINT", () => void app.stop());
}
