/*
 * The guide, 错误处理与重试 1: 异常处理, `retry_on_exception` and `critical_database_operation`.
 *
 *   node examples/guide/retry.ts
 *
 * The wrapper is an option here, of all four kinds. `max_retries=3, delay=2` waits 2 s, then 4 s, and gives up at the third
 * failure: { attempts: 3, delay: "2s", backoff: "linear", jitter: false }. Without the last two the waits double and are
 * drawn at random, which is better when many fail together.
 */

import { createApp, timeOn } from "decorator-framework";

/** Stands for the guide's database. */
export const database = { operations: 0, failures: 2 };

/** 带重试的关键数据库操作. A tick is a stored message: it is retried by the engine, and does not hold a worker while it waits. */
timeOn("critical_task", {
  every: "60s",
  priority: 1,
  retry: { attempts: 3, delay: "2s", backoff: "linear", jitter: false },
}).execute(async function criticalDatabaseOperation() {
  database.operations++;
  if (database.failures > 0) {
    database.failures--;
    throw new Error("the database does not answer");
  }
  return "操作成功";
});

if (import.meta.main) {
  database.failures = 1;
  const done = Promise.withResolvers<void>();
  await using app = createApp({
    engine: "memory:",
    log: "silent",
    use: [
      async (ctx, next) => {
        const attempt = `${new Date(ctx.now()).toISOString()} attempt ${ctx.attempt}:`;
        try {
          console.log(attempt, await next());
          done.resolve();
        } catch (error) {
          console.log(attempt, String(error));
          throw error;
        }
      },
    ],
  });
  await app.start();
  await app.scheduler.runNow("critical_task"); // not at the next full minute
  await done.promise;
}
