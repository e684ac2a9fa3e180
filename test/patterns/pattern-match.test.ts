import { expect, test } from "vitest";
import { toPatternMatch } from "../../src/patterns/pattern-match.ts";

function matchOf(pattern: RegExp, text: string) {
  const found = pattern.exec(text);
  if (!found) throw new Error("the pattern does not match");
  return toPatternMatch(found, "content", { content: text });
}

test("text, groups, captures, index, field and message", () => {
  expect(matchOf(/(?<level>ERROR|WARN) (\w+)/, "12:00 ERROR disk full")).toEqual({
    text: "ERROR disk",
    groups: { level: "ERROR" },
    captures: ["ERROR", "disk"],
    index: 6,
    field: "content",
    message: { content: "12:00 ERROR disk full" },
  });
});

test("a named group that took no part is empty text, its capture undefined", () => {
  const { groups, captures } = matchOf(/(?<a>x)|(?<b>y)/, "y");
  expect(groups).toEqual({ a: "", b: "y" });
  expect(captures).toEqual([undefined, "y"]);
});

test("groups may have any name, and there are no others", () => {
  const { groups } = matchOf(/(?<__proto__>x)(?<constructor>y)/, "xy");
  expect(Object.entries(groups)).toEqual([
    ["__proto__", "x"],
    ["constructor", "y"],
  ]);
  expect("toString" in matchOf(/x/, "x").groups).toBe(false);
});
