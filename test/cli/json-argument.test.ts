import { expect, test } from "vitest";
import { jsonArgument } from "../../src/cli/json-argument.ts";

const fault = (written: string) => jsonArgument(written).then(String, (error: Error) => error.message);

test("JSON is read, and nothing is no payload", async () => {
  expect(await jsonArgument('{"a":[1,"ü"]}')).toEqual({ a: [1, "ü"] });
  expect(await jsonArgument("7")).toBe(7);
  expect(await jsonArgument(undefined)).toBeUndefined();
});

test.each([
  ["{name: 1}", "column 2", "  {name: 1}\n   ^"],
  ['{"a": abc}', "column 7", '  {"a": abc}\n        ^'],
  ['{\n  "a": 1,\n}', "line 3, column 1", "  }\n  ^"],
  ['{"a":1', "column 7", '  {"a":1\n        ^'],
])("the place of a mistake is shown: %s", async (written, place, marked) => {
  const message = await fault(written);
  expect(message).toContain(place);
  expect(message).toContain(marked);
  expect(message).toContain(`'{"email":"ann@example.com"}'`);
});

test("a bare word is no JSON, and its user is told how to quote it", async () => {
  expect(await fault("hello")).toContain(`'"hello"'`);
  expect(await fault("")).toContain("Leave the payload out");
});

test("of a long text the part around the mistake is shown", async () => {
  const message = await fault(`{"a":"${"x".repeat(5_000)}",oops}`);
  expect(message).toContain("oops");
  expect(message.length).toBeLessThan(500);
});
