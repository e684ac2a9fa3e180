/*
 * The guide, 性能优化 2: 缓存策略, `cached_calculation` and `cache_command`.
 *
 *   node examples/guide/cache.ts
 *
 * Python's lru_cache remembers what a function returned; here the function may be async, and calls for one key that come
 * together wait for one run of it.
 */

import { cached, CommandDispatcher, commandOn } from "decorator-framework";

/** How often it was really calculated. */
export const calculations: string[] = [];

async function expensiveOperation(key: string): Promise<number> {
  calculations.push(key);
  return Array.from(key).reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003, 7);
}

export const cachedCalculation = cached(expensiveOperation, { max: 128 });

/** 缓存命令 */
commandOn("cache", "/cache").execute(async ({ args }) => {
  const [key] = args;
  if (key === undefined) return "请提供缓存键";
  return `缓存结果: ${await cachedCalculation(key)}`;
});

if (import.meta.main) {
  const dispatcher = new CommandDispatcher();
  for (const text of ["/cache", "/cache orders", "/cache orders"]) {
    console.log(`${text} -> ${(await dispatcher.handle(text)).text}`);
  }
  console.log(`calculated ${calculations.length} time(s)`);
}
