import { describe, expect, test } from "vitest";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { PatternDispatcher } from "../../src/patterns/pattern-dispatcher.ts";
import { HandlerRegistry } from "../../src/registry.ts";
import { patternHandler } from "./pattern-setup.ts";

const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/(\w+) \1/, "a backreference"],
  [/^(?<quote>["'])(?:.*)\k<quote>$/, "a backreference"],
  [/(?:(?=(a+)b)a)*c/, "a capturing group and a loop in one lookaround"],
  [/^(?:(?:a{50}|ab){50}c?){50}$/, "repetitions that make it too long when they are written out"],
];

describe("a pattern that texts can keep busy without end is refused where it is declared", () => {
  test.each(REFUSED)("%s: it has %s", (pattern, why) => {
    const { reOn } = createRegistry();
    const unsafe = expect.objectContaining({ code: "PATTERN_UNSAFE", message: expect.stringContaining(why) });
    expect(() => reOn("a", "content", pattern)).toThrow(unsafe);
    expect(() => reOn("b", "content", pattern)).toThrow("trusted: true");
  });

  test("trusted, it is run on V8", async () => {
    const registry = createRegistry();
    registry.reOn("twice", "content", /(\w+) \1/, { trusted: true }).execute((m) => m.captures[0]);
    using patterns = dispatcher(registry);
    expect(await patterns.match("the the end")).toMatchObject([{ value: "the" }]);
  });

  test("one that was put into the registry by other ways is refused too, and nothing of it stays", async () => {
    const registry = new HandlerRegistry();
    using patterns = dispatcher(registry);
    expect(() => registry.add(patternHandler("a", /(\w+) \1/))).toThrow("busy for minutes");
    expect(registry.list()).toEqual([]);
    expect(await patterns.match("the the")).toEqual([]);
  });
});

test.each([/^(\w)\1$/, /(?=.*\d)(?=.*[a-z]).{8,}/, /^(?=(\d))x/, /^(?<year>\d{4})-\d\d$/, /(?:a{3}){3}/])(
  "%s is not refused",
  (pattern) => {
    expect(() => createRegistry().reOn("a", "content", pattern)).not.toThrow();
  },
);

function dispatcher(registry: HandlerRegistry): PatternDispatcher & Disposable {
  const patterns = new PatternDispatcher({ registry });
  return Object.assign(patterns, { [Symbol.dispose]: () => patterns.close() });
}
