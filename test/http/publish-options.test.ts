import { describe, expect, test } from "vitest";
import { readEventRequest } from "../../src/http/publish-options.ts";
import { HttpProblem } from "../../src/http/problem.ts";

function read(query: string, headers: Record<string, string> = {}) {
  return readEventRequest(new Request(`http://localhost/events/x${query}`, { method: "POST", headers }));
}

function refusalOf(query: string, headers: Record<string, string> = {}): string {
  try {
    read(query, headers);
  } catch (error) {
    if (error instanceof HttpProblem && error.status === 400) return error.message;
    throw error;
  }
  throw new Error(`${query} was accepted`);
}

test("without anything nothing is asked for", () => {
  expect(read("")).toEqual({ wait: false, reply: false, options: {} });
});

describe("in the query", () => {
  test.each([
    ["?delay=30s", { delay: 30_000 }],
    ["?at=2026-11-22T08:00:00Z", { at: new Date("2026-11-22T08:00:00Z") }],
    ["?at=1795334400000", { at: new Date(1_795_334_400_000) }],
    ["?priority=-3", { priority: -3 }],
    ["?key=order-7", { key: "order-7" }],
    ["?dedupe=d1", { dedupe: "d1" }],
    ["?dedupe=d1&dedupe-within=1h", { dedupe: { key: "d1", within: 3_600_000 } }],
    ["?expires=5m", { expires: 300_000 }],
    ["?expires=2026-11-22T08:00:00%2B08:00", { expires: new Date("2026-11-22T00:00:00Z") }],
  ])("%s", (query, options) => {
    expect(read(query)).toEqual({ wait: false, reply: false, options });
  });
});

describe("in headers", () => {
  test("each option has its own, and the query counts more", () => {
    const headers = { "x-event-delay": "1m", "x-event-priority": "5", "x-event-key": "k" };
    expect(read("?priority=1", headers).options).toEqual({ delay: 60_000, priority: 1, key: "k" });
  });

  test("idempotency-key is a dedupe key, with or without quotes", () => {
    expect(read("", { "idempotency-key": '"abc"' }).options).toEqual({ dedupe: "abc" });
    expect(read("", { "idempotency-key": "abc" }).options).toEqual({ dedupe: "abc" });
  });

  test("the trace and named headers go with the message, and no others do", () => {
    const headers = {
      traceparent: "00-1-2-01",
      "x-event-header-tenant": "a",
      authorization: "Bearer x",
      cookie: "y",
    };
    expect(read("", headers).options).toEqual({ headers: { traceparent: "00-1-2-01", tenant: "a" } });
  });
});

describe("is refused", () => {
  test.each([
    ["?wait=yes", 'wait is "yes". It must be true or false.'],
    ["?wait", 'wait is "". It must be true or false.'],
    ["?wait=true&reply=true", "Give either wait or reply, not both."],
    ["?reply=yes", 'reply is "yes". It must be true or false.'],
    ["?timeout=5s", "timeout needs reply=true."],
    ["?reply=true&timeout=5", 'timeout is "5". It must be a duration'],
    ["?reply=true&timeout=2h", "up to 1h"],
    ["?reply=true&dedupe=a", "dedupe: with reply=true"],
    ["?wait=true&delay=5s", "delay: with wait=true the handlers run at once"],
    ["?dealy=5s", 'There is no option "dealy". Did you mean delay?'],
    ["?colour=red", 'There is no option "colour". There are wait, reply, timeout, delay'],
    ["?delay=5", 'delay is "5". It must be a duration'],
    ["?delay=soon", "It must be a duration such as"],
    ["?delay=5s&at=2026-11-22T08:00:00Z", "Give either delay or at, not both."],
    ["?delay=5s&delay=6s", "delay is given twice."],
    ["?at=tomorrow", 'at is "tomorrow". It must be a moment'],
    ["?at=2026-11-22T08:00:00", "It must be a moment"],
    ["?at=2026-13-45T99:00:00Z", "It must be a moment"],
    ["?priority=high", "It must be a whole number"],
    ["?priority=1.5", "It must be a whole number"],
    ["?key=", "It must be a text that is not empty"],
    ["?dedupe-within=1h", "dedupe-within needs dedupe."],
    ["?expires=5", 'expires is "5"'],
  ])("%s", (query, why) => {
    expect(refusalOf(query)).toContain(why);
  });

  test("with every mistake at once", () => {
    const text = refusalOf("?priority=x&delay=y&odd=1");
    expect(text).toMatch(/odd[^]*delay is[^]*priority is/);
  });
});
