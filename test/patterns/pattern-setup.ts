import type { Context } from "../../src/context.ts";
import type { PatternHandler, PatternMatch, PatternOptions } from "../../src/handler.ts";

/** A record as `reOn` makes it. */
export function patternHandler(
  name: string,
  pattern: RegExp,
  options: PatternOptions & {
    readonly field?: string;
    readonly fn?: (match: PatternMatch, ctx: Context) => unknown;
  } = {},
): PatternHandler {
  const { field = "content", fn = () => name, ...rest } = options;
  return {
    kind: "pattern",
    name,
    field,
    pattern,
    options: rest,
    site: "here",
    fn: (input, ctx) => fn(input as PatternMatch, ctx), // what the dispatcher gives is what is under test
  };
}
