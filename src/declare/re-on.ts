import { DeclarationError } from "../errors.ts";
import type { PatternMatch, PatternOptions } from "../handler.ts";
import { quietTime } from "../patterns/cooldown.ts";
import { refuseUnsafe } from "../patterns/refusal.ts";
import { thresholdWindow } from "../patterns/threshold.ts";
import { defaultRegistry, type HandlerRegistry } from "../registry.ts";
import { builder, type HandlerBuilder, type HandlerOf } from "./builder.ts";
import { checkOptions } from "./check-options.ts";
import type { Declaration } from "./declaration.ts";

/** Declares a handler of a pattern; see {@link reOn}. */
export type ReOn = (
  name: string,
  field: string,
  pattern: RegExp,
  options?: PatternOptions,
) => HandlerBuilder<HandlerOf<PatternMatch>>;

/** Makes the `reOn` of a registry. */
export function createReOn(registry: HandlerRegistry): ReOn {
  const reOn: ReOn = (name, field, pattern, options = {}) =>
    builder(registry, declare(name, field, pattern, options), reOn);
  return reOn;
}

/**
 * Declares a handler of text that a regular expression matches.
 *
 * @param name Unique in the registry.
 * @param field Which text of a message is read; a message that is one string is `"content"`.
 * @param pattern The expression; its `g` and `y` flags mean nothing here.
 * @throws {DeclarationError} `PATTERN_INVALID`, `THRESHOLD_INVALID`, `COOLDOWN_INVALID`, `DURATION_INVALID`; `PATTERN_UNSAFE` when texts made for it could keep it busy without end; {@link DuplicateHandlerError} when the name is taken.
 * @example
 * reOn("error_detector", "content", /ERROR (?<what>.*)/).execute(async (m) => `seen: ${m.groups.what}`);
 */
export const reOn: ReOn = createReOn(defaultRegistry);

function declare(name: string, field: string, pattern: RegExp, options: PatternOptions): Declaration {
  const what = `reOn(${JSON.stringify(name)})`;
  const lacks =
    typeof name !== "string" || name === ""
      ? "the name is missing"
      : typeof field !== "string" || field === ""
        ? "the field is missing"
        : pattern instanceof RegExp
          ? undefined
          : `the pattern is ${pattern === null ? "null" : `a ${typeof pattern}`} and not a regular expression`;
  if (lacks) {
    throw new DeclarationError(
      "PATTERN_INVALID",
      `${what}: ${lacks}. Write reOn("error_detector", "content", /ERROR (?<what>.*)/).`,
    );
  }
  checkOptions(what, options);
  const { threshold, cooldown, trusted } = options;
  if (threshold !== undefined) thresholdWindow(options.name ?? name, threshold);
  if (cooldown !== undefined) quietTime(options.name ?? name, cooldown);
  if (trusted !== true) refuseUnsafe(what, pattern);
  return {
    what,
    name: options.name ?? name,
    fallbackName: name,
    record: { kind: "pattern", field, pattern, options },
  };
}
