import { describe, expect, test } from "vitest";
import {
  DeclarationError,
  EngineError,
  Fatal,
  LifecycleError,
  PayloadError,
  RateLimitedError,
  TimeoutError,
} from "../../src/errors.ts";
import { get, post, problemOf, serve, SmallApp } from "./small-app.ts";

const fail = (error: unknown) => () => {
  throw error;
};

describe("probes", () => {
  test.each(["/live", "/ready", "/health"])("%s answers 200, and 503 when it is down", async (path) => {
    const { http, app } = serve();
    expect(await (await http.fetch(get(path))).json()).toMatchObject({ status: "ok" });
    app.status = "degraded";
    expect((await http.fetch(get(path))).status).toBe(200);
    app.status = "down";
    const response = await http.fetch(get(path));
    expect(response.status).toBe(503);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toMatchObject({ status: "down" });
  });

  test("HEAD is GET without a body", async () => {
    const response = await serve().http.fetch(new Request("http://localhost/health", { method: "HEAD" }));
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  test("/metrics has its own content type", async () => {
    const response = await serve().http.fetch(get("/metrics"));
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4");
    expect(await response.text()).toBe("up 1\n");
  });
});

describe("POST /events/:name", () => {
  test("stores the body as the payload and answers with the id", async () => {
    const { http, app } = serve();
    const response = await http.fetch(post("/events/order.paid", { id: 7 }));
    expect([response.status, await response.json()]).toEqual([202, { id: "m-1" }]);
    expect(app.stored).toEqual([{ event: "order.paid", payload: { id: 7 }, options: {} }]);
  });

  test("without a body there is no payload, and no content type is needed", async () => {
    const { http, app } = serve();
    const request = new Request("http://localhost/events/order.paid", { method: "POST" });
    expect((await http.fetch(request)).status).toBe(202);
    expect(app.stored[0]?.payload).toBeUndefined();
  });

  test("with wait=true the handlers run, and their results are the answer", async () => {
    const { http, app } = serve();
    const response = await http.fetch(post("/events/order.paid?wait=true", { id: 7 }));
    expect([response.status, await response.json()]).toEqual([200, { results: [{ paid: { id: 7 } }] }]);
    expect(app.stored).toEqual([]);
  });

  test("a handler that returns nothing has null for its result", async () => {
    const { http } = serve({}, new SmallApp({ quiet: () => undefined }));
    expect(await (await http.fetch(post("/events/quiet?wait=true", {}))).json()).toEqual({ results: [null] });
  });

  test("handlers see the headers that are carried, and that the client has gone", async () => {
    const seen: unknown[] = [];
    const began = Promise.withResolvers<void>();
    const app = new SmallApp({
      slow: (_, { headers, signal }) => {
        seen.push(headers);
        began.resolve();
        return new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(new Fatal("called off")));
        });
      },
    });
    const gone = new AbortController();
    const request = new Request(post("/events/slow?wait=true", {}, { traceparent: "00-1-2-01" }), {
      signal: gone.signal,
    });
    const answer = serve({}, app).http.fetch(request);
    await began.promise;
    gone.abort();
    expect((await answer).status).toBe(500);
    expect(seen).toEqual([{ traceparent: "00-1-2-01" }]);
  });

  test.each(["", "?wait=true"])(
    "an event that nobody handles is 404 and names what is alike (%s)",
    async (query) => {
      const response = await serve().http.fetch(post(`/events/order.piad${query}`, {}));
      const problem = await problemOf(response);
      expect(problem).toMatchObject({ status: 404, code: "EVENT_UNKNOWN", instance: "/events/order.piad" });
      expect(problem["detail"]).toContain('Did you mean "order.paid"?');
    },
  );

  test("a payload that does not fit lists every issue with its path", async () => {
    const errors = [{ path: "user.email", message: "must be an e-mail address" }];
    expect(await problemOf(await serve().http.fetch(post("/events/order.paid", '"misfit"')))).toMatchObject({
      status: 422,
      code: "PAYLOAD_INVALID",
      errors,
    });
    const app = new SmallApp({ strict: fail(new PayloadError("strict", errors)) });
    const waited = await serve({}, app).http.fetch(post("/events/strict?wait=true", {}));
    expect(await problemOf(waited)).toMatchObject({ status: 422, errors });
  });

  test("a handler's failure is told with the others' results and without a stack; the log has the stack", async () => {
    const { http, app } = serve(
      {},
      new SmallApp({ odd: fail(Object.assign(new Error("was odd"), { code: "ODD" })) }),
    );
    const problem = await problemOf(await http.fetch(post("/events/odd?wait=true", {})));
    expect(problem).toMatchObject({
      status: 500,
      code: "HANDLERS_FAILED",
      results: [1],
      errors: [{ handler: "second", code: "ODD", message: "was odd" }],
    });
    expect(JSON.stringify(problem)).not.toMatch(/\.ts:\d+|stack/);
    expect(app.logged).toEqual([expect.objectContaining({ path: "/events/odd", err: expect.any(Error) })]);
  });

  test.each([
    [new RateLimitedError("second", 2_500), 429],
    [new TimeoutError("second", "1s"), 504],
    [new Fatal("no"), 500],
    ["thrown text", 500],
  ])("a handler that failed with %s is answered with %i", async (error, status) => {
    const { http } = serve({}, new SmallApp({ odd: fail(error) }));
    const response = await http.fetch(post("/events/odd?wait=true", {}));
    expect(response.headers.get("retry-after")).toBe(status === 429 ? "3" : null);
    expect(await problemOf(response)).toMatchObject({ status });
  });

  test("a result that JSON cannot hold is a problem, not a broken reply", async () => {
    const { http } = serve({}, new SmallApp({ big: () => 1n }));
    const problem = await problemOf(await http.fetch(post("/events/big?wait=true", {})));
    expect(problem).toMatchObject({ status: 500, code: "RESULT_NOT_JSON" });
  });
});

describe("what the app throws", () => {
  test.each([
    [new DeclarationError("EVENT_NAME_INVALID", "has a star in it"), 400, "EVENT_NAME_INVALID"],
    [new EngineError("ENGINE_FULL", "the disk is full"), 503, "ENGINE_FULL"],
    [new LifecycleError("APP_STOPPED", "stopping"), 503, "APP_STOPPED"],
    [new Error("secret path /etc/app"), 500, "INTERNAL"],
    ["a text", 500, "INTERNAL"],
  ])("%s", async (error, status, code) => {
    const app = new SmallApp();
    app.publish = () => Promise.reject(error);
    const problem = await problemOf(await serve({}, app).http.fetch(post("/events/order.paid", {})));
    expect(problem).toMatchObject({ status, code });
    expect(JSON.stringify(problem)).not.toMatch(/secret path|\.ts:\d+/);
    expect(app.logged).toHaveLength(status >= 500 ? 1 : 0);
  });
});

describe("POST /commands", () => {
  test("answers 200 with the reply, whatever its status", async () => {
    const { http, app } = serve({ LOCALE: "zh" });
    const call = { text: "/hi", user: "alice", channel: "ops", locale: "en" };
    const response = await http.fetch(post("/commands", call));
    expect([response.status, await response.json()]).toEqual([200, { status: "ok", text: "hello" }]);
    expect(await (await http.fetch(post("/commands", { text: "/no" }))).json()).toMatchObject({
      status: "unknown",
    });
    expect(app.callers).toMatchObject([
      { user: "alice", channel: "ops", locale: "en", roles: ["read", "publish", "operate"] },
      { user: undefined, locale: "zh" },
    ]);
  });

  test.each([
    [{}, ["text"]],
    [{ text: 7, user: [], extra: 1 }, ["text", "user", "extra"]],
    [[], [""]],
    ["null", [""]],
    ["", [""]],
  ])("%j is refused with every misfit", async (body, paths) => {
    const { errors, status } = await problemOf(await serve().http.fetch(post("/commands", body)));
    expect([status, (errors as { path: string }[]).map(({ path }) => path)]).toEqual([422, paths]);
  });
});

describe("POST /match", () => {
  test("takes an object of texts, or one text", async () => {
    const { http } = serve();
    const expected = { results: [{ handler: "errors", status: "ok", value: 10 }] };
    expect(await (await http.fetch(post("/match", { content: "ERROR disk" }))).json()).toEqual(expected);
    const plain = post("/match", "ERROR disk", { "content-type": "text/plain; charset=utf-8" });
    expect(await (await http.fetch(plain)).json()).toEqual(expected);
    expect(await (await http.fetch(post("/match", { content: "fine" }))).json()).toEqual({ results: [] });
  });

  test("a handler that failed says so without a stack", async () => {
    const response = await serve().http.fetch(post("/match", { content: "odd" }));
    expect(await response.json()).toEqual({
      results: [{ handler: "odd", status: "failed", value: null, error: { message: "was odd" } }],
    });
  });

  test.each([
    [{ content: 1, host: null }, ["content", "host"]],
    [["ERROR"], [""]],
    ["1", [""]],
  ])("%j is refused", async (body, paths) => {
    const { errors } = await problemOf(await serve().http.fetch(post("/match", body)));
    expect((errors as { path: string }[]).map(({ path }) => path)).toEqual(paths);
  });

  test("an empty body is not JSON", async () => {
    expect(await problemOf(await serve().http.fetch(post("/match", "")))).toMatchObject({
      code: "JSON_INVALID",
    });
  });
});

test("GET /api/handlers lists what is declared", async () => {
  expect(await (await serve().http.fetch(get("/api/handlers"))).json()).toEqual({
    handlers: [{ name: "order.paid", kind: "event", topic: "order.paid" }],
  });
});

describe("bodies", () => {
  test.each(["/events/order.paid", "/commands", "/match"])(
    "%s refuses broken JSON with its place",
    async (path) => {
      const { http, app } = serve();
      const problem = await problemOf(await http.fetch(post(path, '{"a":\n x}')));
      expect(problem).toMatchObject({ status: 400, code: "JSON_INVALID", position: 7 });
      expect(problem["detail"]).toContain("line 2, column 2");
      expect(app.stored).toEqual([]);
    },
  );

  test.each(['{"__proto__":{"admin":true}}', '{"a":{"constructor":{"prototype":{}}}}', '{"a":1,"a":2}'])(
    "%s is refused",
    async (body) => {
      const { http, app } = serve();
      expect(await problemOf(await http.fetch(post("/events/order.paid", body)))).toMatchObject({
        status: 400,
      });
      expect(app.stored).toEqual([]);
      expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
    },
  );

  test.each(["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""])(
    "the content type %j is refused",
    async (type) => {
      const problem = await problemOf(
        await serve().http.fetch(post("/events/order.paid", "{}", { "content-type": type })),
      );
      expect(problem).toMatchObject({ status: 415, code: "CONTENT_TYPE_UNSUPPORTED" });
      expect(problem["detail"]).toContain("content-type: application/json");
    },
  );

  test.each(["application/json; charset=utf-8", "Application/JSON", "application/cloudevents+json"])(
    "the content type %j is accepted",
    async (type) => {
      expect(
        (await serve().http.fetch(post("/events/order.paid", "{}", { "content-type": type }))).status,
      ).toBe(202);
    },
  );

  test("a body may be as long as the limit, and no longer", async () => {
    const { http } = serve({ BODY_LIMIT: "1kb" });
    const body = (length: number): string => `"${"x".repeat(length - 2)}"`;
    expect((await http.fetch(post("/events/order.paid", body(1_024)))).status).toBe(202);
    expect(await problemOf(await http.fetch(post("/events/order.paid", body(1_025))))).toMatchObject({
      status: 413,
      code: "BODY_TOO_LARGE",
      limit: 1_024,
    });
  });

  test("a body that lies about its length, or says none, is cut off at the limit", async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 512;
        controller.enqueue(new Uint8Array(512));
      },
    });
    const request = new Request("http://localhost/events/order.paid", {
      method: "POST",
      body: endless,
      duplex: "half",
      headers: { "content-type": "application/json", "content-length": "10" },
    });
    expect((await serve({ BODY_LIMIT: "1kb" }).http.fetch(request)).status).toBe(413);
    expect(sent).toBeLessThan(4_096);
  });

  test("a body that is not UTF-8 is refused", async () => {
    const request = new Request("http://localhost/events/order.paid", {
      method: "POST",
      body: new Uint8Array([0x22, 0xff, 0x22]),
      headers: { "content-type": "application/json" },
    });
    expect(await problemOf(await serve().http.fetch(request))).toMatchObject({
      status: 400,
      code: "BODY_NOT_UTF8",
    });
  });
});

describe("paths and methods", () => {
  test("a path that does not exist is 404 and names what is alike", async () => {
    const problem = await problemOf(await serve().http.fetch(get("/heatlh")));
    expect(problem).toMatchObject({ status: 404, code: "PATH_UNKNOWN", instance: "/heatlh" });
    expect(problem["detail"]).toContain("Did you mean /health?");
  });

  test.each([
    ["GET", "/events/order.paid", "POST"],
    ["HEAD", "/commands", "POST"],
    ["DELETE", "/health", "GET, HEAD"],
    ["POST", "/metrics", "GET, HEAD"],
    ["OPTIONS", "/match", "POST"],
  ])("%s %s is 405 and says what is possible", async (method, path, allow) => {
    const response = await serve().http.fetch(new Request(`http://localhost${path}`, { method }));
    expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
  });
});
