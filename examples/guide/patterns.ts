/*
 * The guide, 核心功能 4: 正则表达式 (@re_on), `detect_errors`.
 *
 *   node examples/guide/patterns.ts
 *
 * The same on a method (see decorators.ts):
 *
 *   class Watch { @reOn("error_detector", "content", /ERROR.*\/) async detect(match: PatternMatch) { … } }
 */

import { PatternDispatcher, reOn } from "decorator-framework";

/** 错误检测 */
export const detectErrors = reOn("error_detector", "content", /ERROR.*/).execute(
  async (match) => `检测到错误: ${match.text}`,
);

if (import.meta.main) {
  const dispatcher = new PatternDispatcher();
  for (const line of ["2025-01-15 INFO ready", "2025-01-15 ERROR disk full"]) {
    console.log(line, "->", await dispatcher.match(line));
  }
}
