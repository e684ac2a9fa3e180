/*
 * The guide, 生产环境部署 1: 配置文件 (config.py), `FRAMEWORK_CONFIG`.
 *
 *   LOG_LEVEL=DEBUG HEARTBEAT_INTERVAL=10 node examples/guide/config.ts
 *   HEARTBEAT_INTERVAL=often PORT=99999 node examples/guide/config.ts
 *
 * There is no file to write: an app reads the same variables, checks them as a whole when it starts, and refuses to start with
 * a list of every mistake. The guide's int() stops at the first one with a stack trace, and its SCHEDULER_ENABLED takes
 * every word but "true" for false. `decorator-framework config` prints what is in effect.
 */

import { ConfigError, createApp } from "decorator-framework";

/** Starts an app under an environment; answers with what is wrong with it, or with nothing. */
export async function tryConfiguration(env: Record<string, string | undefined>): Promise<readonly string[]> {
  const app = createApp({ engine: "memory:", log: "silent", env });
  try {
    await app.start();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  } finally {
    await app.stop();
  }
}

if (import.meta.main) {
  const mistakes = await tryConfiguration(process.env);
  console.log(mistakes.length === 0 ? "配置有效" : mistakes.join("\n"));
  process.exitCode = mistakes.length === 0 ? 0 : 78;
}
