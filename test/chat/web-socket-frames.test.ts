import fc from "fast-check";
import { expect, test } from "vitest";
import { ChatProblem, readFrame, writeFrame } from "../../src/chat/web-socket-frames.ts";

/** Reads a text; what it refuses it must refuse as a problem that the client is told. */
function read(text: string): object | undefined {
  try {
    return readFrame(text);
  } catch (error) {
    if (error instanceof ChatProblem && error.code === "FRAME_INVALID" && error.close === undefined)
      return undefined;
    throw error;
  }
}

test("whatever is sent is a frame, or refused with a reason", () => {
  const names = fc.constantFrom(
    "type",
    "id",
    "text",
    "token",
    "channel",
    "locale",
    "roles",
    "__proto__",
    "constructor",
  );
  const values = fc.oneof(
    fc.constantFrom("hello", "message", "__proto__", "toString"),
    fc.string(),
    fc.jsonValue(),
  );
  const nearly = fc.array(fc.tuple(names, values)).map((pairs) => JSON.stringify(Object.fromEntries(pairs)));
  fc.assert(
    fc.property(fc.oneof(nearly, fc.json(), fc.string()), (text) => {
      const frame = read(text) as Record<string, unknown> | undefined;
      if (!frame) return;
      expect(["hello", "message"]).toContain(frame["type"]);
      expect(Object.values(frame).every((value) => typeof value === "string")).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("every message is read as it was written", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 128 }), fc.string({ unit: "grapheme" }), (id, text) => {
      expect(read(JSON.stringify({ type: "message", id, text }))).toEqual({ type: "message", id, text });
    }),
  );
});

test("nesting without end, and names of prototypes, are nothing special", () => {
  expect(read("[".repeat(16_000))).toBeUndefined();
  expect(read(`{"type":"message","id":"1","text":${"[".repeat(7_000)}${"]".repeat(7_000)}}`)).toBeUndefined();
  expect(read('{"type":"message","id":"1","text":"hi","__proto__":"x"}')).toBeUndefined();
});

test("a circle in a reply's data does not keep the reply", () => {
  const data: Record<string, unknown> = {};
  data["self"] = data;
  const reply = { type: "reply", id: "1", status: "ok", text: "fine", data } as const;
  expect(JSON.parse(writeFrame(reply))).toEqual({ type: "reply", id: "1", status: "ok", text: "fine" });
});
