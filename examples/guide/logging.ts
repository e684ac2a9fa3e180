/*
 * The guide, 生产环境部署 2: 生产级日志配置, `LOGGING_CONFIG`.
 *
 *   node examples/guide/logging.ts [DIRECTORY]
 *
 * The guide's thirty lines are the default: the console, and with LOG_DIR also app.log, 10485760 bytes, five files. Each
 * line has time, level, name and message; and, since it is JSON, its fields. LOG_FORMAT=pretty is for people.
 * One level holds for both; the guide has INFO for the console and DEBUG for the file.
 */

import { createApp, on } from "decorator-framework";

on("order_paid").execute(async function recordPayment(order: { id: number; password?: string }, ctx) {
  ctx.log.debug({ order }, "looked at");
  ctx.log.info({ order }, "订单已支付");
});

if (import.meta.main) {
  const [dir = "logs"] = process.argv.slice(2);
  await using app = createApp({
    engine: "memory:",
    env: { LOG_LEVEL: "INFO", LOG_FORMAT: "json", ...process.env, LOG_DIR: dir },
  });
  await app.start();
  await app.trigger("order_paid", { id: 1, password: "only for me" });
  app.log.warn({ disk: "90 %" }, "磁盘空间不足");
}
