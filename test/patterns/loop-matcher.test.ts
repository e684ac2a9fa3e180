import { expect, test } from "vitest";
import { LoopMatcher } from "../../src/patterns/loop-matcher.ts";
import { patternHandler } from "./pattern-setup.ts";

function namesOf(matcher: LoopMatcher, text: string, field = "content"): string[] {
  return matcher.match(field, text).map(({ handler }) => handler.name);
}

test("smaller priority first, ties in order of add", () => {
  const matcher = new LoopMatcher();
  for (const [name, priority] of Object.entries({ a: 5, b: 0, c: -1, d: 5, e: 0 })) {
    matcher.add(patternHandler(name, /x/, { priority }));
  }
  matcher.add(patternHandler("f", /x/));
  expect(namesOf(matcher, "x")).toEqual(["c", "b", "e", "f", "a", "d"]);
});

test("only patterns of the field that match", () => {
  const matcher = new LoopMatcher();
  matcher.add(patternHandler("content", /\d/));
  matcher.add(patternHandler("title", /\d/, { field: "title" }));
  expect(namesOf(matcher, "1")).toEqual(["content"]);
  expect(namesOf(matcher, "1", "title")).toEqual(["title"]);
  expect(namesOf(matcher, "one")).toEqual([]);
  expect(namesOf(matcher, "1", "other")).toEqual([]);
});

test("nothing after the match of one with stop, and all when it does not match", () => {
  const matcher = new LoopMatcher();
  matcher.add(patternHandler("first", /./));
  matcher.add(patternHandler("stop", /x/, { stop: true }));
  matcher.add(patternHandler("last", /./));
  expect(namesOf(matcher, "x")).toEqual(["first", "stop"]);
  expect(namesOf(matcher, "y")).toEqual(["first", "last"]);
});

test("flags that remember or cost are dropped, the others kept, and the user's object is not touched", () => {
  const matcher = new LoopMatcher();
  const pattern = /É/dgiuy;
  pattern.lastIndex = 3;
  matcher.add(patternHandler("a", pattern));
  for (let round = 0; round < 3; round++) {
    const [candidate] = matcher.match("content", "xxé");
    expect(candidate?.found.index).toBe(2);
    expect(candidate?.found.indices).toBeUndefined();
  }
  expect(pattern.lastIndex).toBe(3);
});

test("a pattern that was taken out is not run any more; the others are", () => {
  const matcher = new LoopMatcher();
  const [a, b] = [patternHandler("a", /x/), patternHandler("b", /x/)];
  matcher.add(a);
  matcher.add(b);
  matcher.remove(a);
  matcher.remove(patternHandler("unknown", /x/, { field: "none" }));
  expect(namesOf(matcher, "x")).toEqual(["b"]);
  matcher.remove(b);
  expect(namesOf(matcher, "x")).toEqual([]);
});

test("a pattern may match nothing at all, and an empty text", () => {
  const matcher = new LoopMatcher();
  // oxlint-disable-next-line no-empty-character-class -- it matches nothing, which is the point
  matcher.add(patternHandler("never", /[]/));
  matcher.add(patternHandler("empty", /(?:)/));
  matcher.add(patternHandler("end", /$/));
  expect(namesOf(matcher, "")).toEqual(["empty", "end"]);
});
