import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TopicIndex, topicFault } from "../src/topic.ts";

describe("TopicIndex", () => {
  test.each([
    ["user.created", "user.created", true],
    ["user.created", "user.deleted", false],
    ["user.*", "user.created", true],
    ["user.*", "user", false],
    ["user.*", "user.created.eu", false],
    ["user.**", "user", true],
    ["user.**", "user.created.eu", true],
    ["**", "anything.at.all", true],
    ["**.created", "created", true],
    ["**.created", "a.b.created", true],
    ["*.*", "a.b", true],
    ["*.*", "a", false],
    ["a.**.z", "a.z", true],
    ["a.**.z", "a.b.c.z", true],
    ["a.**.z", "a.b.c", false],
  ])("%s against %s: %s", (topic, name, matches) => {
    const index = new TopicIndex<string>();
    index.add(topic, "it");
    expect(index.match(name)).toEqual(matches ? ["it"] : []);
  });

  test("gives values in the order in which they were added, whatever their topics", () => {
    const index = new TopicIndex<number>();
    ["**", "a.b", "a.*", "*.b", "a.b"].forEach((topic, at) => index.add(topic, at));
    expect(index.match("a.b")).toEqual([0, 1, 2, 3, 4]);
  });

  test("forgets what was cached when a topic comes or goes", () => {
    const index = new TopicIndex<string>();
    index.add("a.*", "first");
    expect(index.match("a.b")).toEqual(["first"]);
    index.add("a.b", "second");
    expect(index.match("a.b")).toEqual(["first", "second"]);
    index.remove("a.*", "first");
    expect(index.match("a.b")).toEqual(["second"]);
  });

  test("agrees with a regular expression for each topic", () => {
    const segment = fc.constantFrom("a", "b", "c");
    const name = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("."));
    const topic = fc
      .array(fc.oneof(segment, fc.constant("*"), fc.constant("**")), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join("."));
    fc.assert(
      fc.property(fc.array(topic, { maxLength: 8 }), name, (topics, of) => {
        const index = new TopicIndex<number>();
        topics.forEach((each, at) => index.add(each, at));
        const expected = topics.flatMap((each, at) => (oracle(each).test(`.${of}`) ? [at] : []));
        expect(index.match(of)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});

/** Each segment carries the dot before it. */
function oracle(topic: string): RegExp {
  const parts = topic
    .split(".")
    .map((part) => (part === "**" ? "(\\.[^.]+)*" : part === "*" ? "\\.[^.]+" : `\\.${part}`));
  return new RegExp(`^${parts.join("")}$`);
}

test.each([
  ["", "is empty"],
  ["a..b", "has an empty segment"],
  ["a b", "has white space in it"],
  ["a*", "mixes a star"],
  ["x".repeat(256), "is longer than 255"],
])("topic %j is refused: %s", (topic, fault) => {
  expect(topicFault(topic)).toContain(fault);
});
