/*
 * The guide, 核心功能 2: 定时任务 (@time_on), `monitor_system`.
 *
 *   node examples/guide/time.ts
 *
 * The same on a method (see decorators.ts):
 *
 *   class Monitor { @timeOn("system_monitor", { every: "3s", priority: 1 }) async look() { … } }
 */

import { createApp, timeOn } from "decorator-framework";

/** 每3秒执行的系统监控 */
export const monitorSystem = timeOn("system_monitor", { every: "3s", priority: 1 }).execute(
  async () => "系统监控: 正常运行",
);

if (import.meta.main) {
  const first = Promise.withResolvers<void>();
  await using app = createApp({
    engine: "memory:",
    log: "warn",
    use: [
      async (ctx, next) => {
        console.log(new Date(ctx.now()).toISOString(), ctx.handler, await next());
        first.resolve();
      },
    ],
  });
  await app.start();
  // Ticks are aligned to the clock, at :00, :03, :06: so the first comes within three seconds.
  await first.promise;
}
