/*
 * The guide, 故障排除: 常见问题 1 to 3. Each is here what it can no longer be, or an error that says what to do.
 *
 *   node examples/guide/troubleshooting.ts
 */

import {
  CommandDispatcher,
  createApp,
  createRegistry,
  FrameworkError,
  type timeOn,
} from "decorator-framework";

type TimeOptions = Parameters<typeof timeOn>[1];

/** 1. "Expected str got dict": a handler returns what it likes. Replies have it as `data`, and as text. */
export async function returnADictionary() {
  const registry = createRegistry();
  registry.commandOn("status", "/status").execute(async () => ({ status: "正常", uptime: 12 }));
  return new CommandDispatcher({ registry }).handle("/status");
}

/** 2. A missing `await`: what an app is asked before it runs is refused. The lint rule no-floating-promises finds the place. */
export async function forgetToWait() {
  const app = createApp({ registry: createRegistry(), engine: "memory:", log: "silent" });
  const starting = app.start(); // no await
  const refusal = await app.handle("/status").catch(errorOf);
  await starting;
  await app.stop();
  return refusal;
}

/** 3. A task that does not run: a schedule that cannot be kept is an error where it is declared, not a silence. */
export function declareWrongly() {
  const { timeOn } = createRegistry();
  const wrong: TimeOptions[] = [
    { every: "3 seconds" as "3s" }, // the compiler, too, refuses it without the cast
    { every: 0 },
    {},
    { cron: "61 * * * *" },
  ];
  return wrong.map((options) => {
    try {
      timeOn("backup_task", options);
      return undefined;
    } catch (error) {
      return errorOf(error);
    }
  });
}

/** 3. And what is declared can be asked when it runs next. */
export async function askWhenItRuns() {
  const registry = createRegistry();
  registry.timeOn("backup_task", { every: "1h" }).execute(() => "数据库备份完成");
  await using app = createApp({ registry, engine: "memory:", log: "silent" });
  await app.start();
  return app.scheduler.tasks();
}

function errorOf(error: unknown): FrameworkError {
  if (error instanceof FrameworkError) return error;
  throw error;
}

if (import.meta.main) {
  console.log("1.", await returnADictionary());
  const refusal = await forgetToWait();
  console.log("2.", refusal instanceof FrameworkError ? refusal.message : refusal);
  for (const error of declareWrongly()) console.log("3.", error?.code, error?.message);
  console.log("3.", await askWhenItRuns());
}
