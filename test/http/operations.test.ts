import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { readConfig } from "../../src/config.ts";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { defineEvent } from "../../src/declare/define-event.ts";
import { Fatal } from "../../src/errors.ts";
import { createHttp, type HttpServer } from "../../src/http/create-http.ts";
import { OPERATION_ROUTES } from "../../src/http/operation-routes.ts";
import { createTestApp, type TestApp } from "../../src/testing/create-test-app.ts";
import { get, post, problemOf } from "./small-app.ts";

const OrderPaid = defineEvent("order.paid", z.object({ id: z.number() }));
const HERE = { address: "127.0.0.1" };
const READ = "read-only-0123456789";
const OPERATE = "operator-0123456789";

/** An app on the memory engine whose `ship` fails until it is mended, and its HTTP side. */
async function served(env: Record<string, string> = {}) {
  const registry = createRegistry();
  let broken = true;
  const shipped: unknown[] = [];
  registry.on(OrderPaid, { name: "ship", retry: 1 }).execute((order) => {
    if (broken) throw new Error(`no address for ${order.id}`);
    shipped.push(order.id);
    return { shipped: order.id };
  });
  registry
    .on("order.held", { name: "hold" })
    .execute(
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    );
  registry.timeOn("report", { every: "1d" }).execute(() => "reported");
  const t = await createTestApp({ registry });
  onTestFinished(() => t.stop());
  const http = createHttp(t.app, readConfig(env));
  return { t, http, shipped, mend: () => (broken = false) };
}

async function json(http: HttpServer, request: Request): Promise<Record<string, unknown>> {
  const response = await http.fetch(request, HERE);
  const body = (await response.json()) as Record<string, unknown>;
  if (response.status >= 300) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body;
}

function call(method: string, path: string): Request {
  return new Request(`http://localhost:8080${path}`, { method });
}

/** Publishes orders that die. */
async function dead(t: TestApp, ...ids: number[]): Promise<string[]> {
  const stored: string[] = [];
  for (const id of ids) stored.push(await t.publish("order.paid", { id }, { headers: { tenant: "acme" } }));
  return stored;
}

describe("dead letters", () => {
  test("are listed as values, oldest first, and filtered", async () => {
    const { t, http } = await served();
    const [first = ""] = await dead(t, 1, 2);
    const { deadLetters } = await json(http, get("/api/dead-letters"));
    expect(deadLetters).toMatchObject([
      {
        id: first,
        handler: "ship",
        event: "order.paid",
        payload: { id: 1 },
        headers: { tenant: "acme" },
        reason: "exhausted",
        errors: [
          {
            attempt: 1,
            message: "no address for 1",
            stack: expect.stringContaining("operations.test") as string,
          },
        ],
        steps: {},
        diedAt: expect.any(Number) as number,
      },
      { payload: { id: 2 } },
    ]);
    const count = async (query: string) =>
      ((await json(http, get(`/api/dead-letters${query}`)))["deadLetters"] as unknown[]).length;
    expect(await count(`?id=${first}`)).toBe(1);
    expect(await count("?handler=ship&event=order.paid&reason=exhausted")).toBe(2);
    expect(await count("?reason=fatal")).toBe(0);
    expect(await count("?limit=1")).toBe(1);
    expect(await json(http, get("/api/dead-letters/count?handler=ship"))).toEqual({ count: 2 });
  });

  test("are replayed one by one, by filter, all, and at a rate", async () => {
    const { t, http, shipped, mend } = await served();
    const [, second] = await dead(t, 1, 2, 3, 4);
    mend();
    const replay = (body: unknown) => json(http, post("/api/dead-letters/replay", body));
    expect(await replay({ id: second })).toEqual({ replayed: 1 });
    await t.advance(0);
    expect(shipped).toEqual([2]);
    expect(await replay({ handler: "ship", limit: 1 })).toEqual({ replayed: 1 });
    expect(await replay({ event: "order.lost" })).toEqual({ replayed: 0 });
    const slow = replay({ all: true, rate: { limit: 1, per: "10s" } });
    await t.advance("5s");
    expect(shipped).toEqual([2, 1, 3]);
    await t.advance("5s");
    expect(await slow).toEqual({ replayed: 2 });
    await t.advance(0);
    expect(shipped).toEqual([2, 1, 3, 4]);
  });

  test("a slow replay ends when its client goes", async () => {
    const { t, http } = await served();
    await dead(t, 1, 2, 3);
    const gone = new AbortController();
    const body = { all: true, rate: { limit: 1, per: "10s" } };
    const request = new Request(post("/api/dead-letters/replay", body), { signal: gone.signal });
    const slow = http.fetch(request, HERE);
    await t.advance("1s");
    gone.abort();
    expect(await (await slow).json()).toEqual({ replayed: 1 });
  });

  test("are discarded, and never all by mistake", async () => {
    const { t, http } = await served();
    const [first] = await dead(t, 1, 2, 3);
    const discard = (body: unknown) => json(http, post("/api/dead-letters/discard", body));
    expect(await discard({ id: first })).toEqual({ discarded: 1 });
    for (const body of [{}, { limit: 5 }, { all: false }, ""]) {
      for (const act of ["replay", "discard"]) {
        const response = await http.fetch(post(`/api/dead-letters/${act}`, body), HERE);
        expect(await problemOf(response)).toMatchObject({ status: 422, code: "FILTER_MISSING" });
      }
    }
    expect(await discard({ all: true, handler: "other" })).toEqual({ discarded: 0 });
    expect(await discard({ all: true, limit: 1 })).toEqual({ discarded: 1 });
    expect(await discard({ all: true })).toEqual({ discarded: 1 });
  });

  test.each([
    [{ handler: 7 }, "handler: must be a text that is not empty"],
    [{ id: "" }, "id: must be a text that is not empty"],
    [{ reason: "tired" }, "reason: must be exhausted, fatal, invalid, expired, poison, unrouted"],
    [{ limit: 0, all: true }, "limit: must be a whole number of at least 1"],
    [{ all: "yes" }, "all: must be true or false"],
    [{ hanlder: "ship" }, "hanlder: is not known; did you mean handler?"],
    [{ colour: "red" }, "colour: is not known; there are id, handler, event, reason, limit, all"],
    [{ toString: 1 }, "toString: is not known"],
    [{ all: true, rate: { limit: 1 } }, "rate: must be an object such as"],
    [{ all: true, rate: { limit: 1, per: "soon" } }, "rate: must be an object such as"],
    [{ all: true, rate: { limit: 1.5, per: "1s" } }, "rate: must be an object such as"],
    [{ all: true, rate: 5 }, "rate: must be an object such as"],
    [[], "must be an object such as"],
  ])("the order %j is refused", async (body, why) => {
    const { http } = await served();
    const problem = await problemOf(await http.fetch(post("/api/dead-letters/replay", body), HERE));
    expect(problem).toMatchObject({ status: 422, code: "PAYLOAD_INVALID" });
    expect(problem["detail"]).toContain(why);
  });
});

describe("messages", () => {
  test("are shown while they wait, run or are dead, and 404 when they are done", async () => {
    const { t, http, mend } = await served();
    const waiting = await t.publish("order.paid", { id: 1 }, { delay: "1h", key: "k" });
    await t.publish("order.held", {});
    const { messages } = await json(http, get("/api/messages"));
    expect(messages).toMatchObject([
      { id: waiting, state: "waiting", key: "k", payload: { id: 1 }, due: t.now() + 3_600_000 },
      { state: "running", handler: "hold", attempt: 1 },
    ]);
    expect(
      await json(http, get("/api/messages?state=running&handler=hold&event=order.held&limit=5")),
    ).toMatchObject({
      messages: [{ handler: "hold" }],
    });
    expect(await json(http, get(`/api/messages/${waiting}`))).toMatchObject({
      id: waiting,
      deliveries: [{ handler: "ship", headers: {} }],
      deadLetters: [],
    });
    mend();
    await t.advance("1h");
    const problem = await problemOf(await http.fetch(get(`/api/messages/${waiting}`), HERE));
    expect(problem).toMatchObject({ status: 404, code: "MESSAGE_UNKNOWN" });
    expect(problem["detail"]).toContain("it is done, or was cancelled");
  });

  test("are cancelled, all handlers' or one's", async () => {
    const { t, http } = await served();
    const waiting = await t.publish("order.paid", { id: 1 }, { delay: "1h" });
    const running = await t.publish("order.held", {});
    const cancel = (id: string, query = "") => json(http, call("POST", `/api/messages/${id}/cancel${query}`));
    expect(await cancel(waiting, "?handler=other")).toEqual({ removed: 0, running: 0 });
    expect(await cancel(waiting, "?handler=ship")).toEqual({ removed: 1, running: 0 });
    expect(await cancel(running)).toEqual({ removed: 0, running: 1 });
    await t.advance(0);
    expect(await json(http, get("/api/messages"))).toEqual({ messages: [] });
  });

  test("an order in a body, where it would be without effect, is refused", async () => {
    const { t, http } = await served();
    const id = await t.publish("order.paid", { id: 1 }, { delay: "1h" });
    const response = await http.fetch(post(`/api/messages/${id}/cancel`, { handler: "other" }), HERE);
    expect(await problemOf(response)).toMatchObject({ status: 400, code: "BODY_UNEXPECTED" });
    expect(await t.app.operations.message(id)).toBeDefined();
  });
});

describe("subscriptions and instances", () => {
  test("are listed; one whose code is gone is removed, one in use is not", async () => {
    const { t, http } = await served();
    await t.app.engine.queue.subscribe([{ handler: "Old.way", topic: "order.*" }]);
    const { subscriptions } = await json(http, get("/api/subscriptions"));
    expect(subscriptions).toMatchObject([
      { handler: "ship", topic: "order.paid", ready: 0, handledHere: true },
      { handler: "hold", handledHere: true },
      { handler: "report", handledHere: true },
      { handler: "Old.way", topic: "order.*", handledHere: false },
    ]);
    expect(await json(http, call("DELETE", "/api/subscriptions/Old.way"))).toEqual({ removed: "Old.way" });
    const again = await http.fetch(call("DELETE", "/api/subscriptions/Old.way"), HERE);
    expect(await problemOf(again)).toMatchObject({ status: 404, code: "SUBSCRIPTION_UNKNOWN" });
    const used = await http.fetch(call("DELETE", "/api/subscriptions/ship"), HERE);
    expect(await problemOf(used)).toMatchObject({ status: 409, code: "SUBSCRIPTION_IN_USE" });
    expect(await json(http, get("/api/instances"))).toMatchObject({
      instances: [{ pid: process.pid, running: expect.any(Number) as number }],
    });
  });
});

describe("schedules", () => {
  test("are listed, paused, resumed and run", async () => {
    const { t, http } = await served();
    const report = async () => ((await json(http, get("/api/schedules")))["schedules"] as object[])[0];
    expect(await report()).toMatchObject({
      name: "report",
      paused: false,
      definition: { every: 86_400_000 },
    });
    const act = (what: string) => json(http, call("POST", `/api/schedules/report/${what}`));
    expect(await act("pause")).toEqual({ task: "report", paused: true });
    expect(await report()).toMatchObject({ paused: true });
    expect(await act("run")).toEqual({ id: expect.any(String) as string });
    await t.advance(0);
    expect(t.runs).toMatchObject([{ handler: "report", result: "reported" }]);
    expect(await act("resume")).toEqual({ task: "report", paused: false });
    expect(await report()).toMatchObject({ paused: false });
  });

  test("are shown one by one, with the next ticks and the last runs", async () => {
    const { t, http } = await served();
    await json(http, call("POST", "/api/schedules/report/run"));
    await t.advance(0);
    const shown = await json(http, get("/api/schedules/report?ticks=3"));
    expect(shown).toMatchObject({
      schedule: { name: "report", fired: 0 },
      ticks: [expect.any(Number) as number, expect.any(Number) as number, expect.any(Number) as number],
      runs: [{ outcome: "ok", attempt: 1, tick: expect.any(Number) as number }],
    });
    const problem = await problemOf(await http.fetch(get("/api/schedules/reprot"), HERE));
    expect(problem).toMatchObject({ status: 404, code: "TASK_UNKNOWN" });
  });

  test.each(["run", "pause", "resume"])(
    "%s of a task that is not there names what is alike",
    async (what) => {
      const { http } = await served();
      const problem = await problemOf(await http.fetch(call("POST", `/api/schedules/reprot/${what}`), HERE));
      expect(problem).toMatchObject({ status: 404, code: "TASK_UNKNOWN" });
      expect(problem["detail"]).toContain('Did you mean "report"?');
    },
  );
});

describe("POST /events/:name?reply=true", () => {
  test("answers with what the handler returned", async () => {
    const { t, http, mend } = await served();
    mend();
    const reply = json(http, post("/events/order.paid?reply=true&timeout=10s", { id: 7 }));
    await t.advance(0);
    expect(await reply).toEqual({ result: { shipped: 7 } });
  });

  test("is 502 when the handler failed for good", async () => {
    const { t, http } = await served();
    const reply = http.fetch(post("/events/order.paid?reply=true", { id: 7 }), HERE);
    await t.advance(0);
    const problem = await problemOf(await reply);
    expect(problem).toMatchObject({ status: 502, code: "REQUEST_FAILED" });
    expect(problem["detail"]).toContain("no address for 7");
  });

  test("is 504 when no answer came in time; the message goes on", async () => {
    const { t, http } = await served();
    const reply = http.fetch(post("/events/order.held?reply=true&timeout=10s", {}), HERE);
    await t.advance("10s");
    expect(await problemOf(await reply)).toMatchObject({ status: 504, code: "TIMEOUT" });
    expect(await t.app.operations.messages()).toMatchObject([{ state: "running" }]);
  });

  test("is 404 when nobody handles the event, and 422 when the payload does not fit", async () => {
    const { http } = await served();
    const unknown = await http.fetch(post("/events/order.piad?reply=true", {}), HERE);
    expect(await problemOf(unknown)).toMatchObject({ status: 404, code: "EVENT_UNKNOWN" });
    const misfit = await http.fetch(post("/events/order.paid?reply=true", { id: "7" }), HERE);
    expect(await problemOf(misfit)).toMatchObject({ status: 422, code: "PAYLOAD_INVALID" });
  });
});

describe("all of them", () => {
  const calls = OPERATION_ROUTES.map(({ method, path, role }) => ({
    path: path.replace(/:\w+/, "x"),
    method,
    role,
  }));

  test.each(calls)("$method $path refuses what it does not know in the query", async ({ method, path }) => {
    const { http } = await served();
    const url = `http://localhost:8080${path}?hanlder=ship`;
    const problem = await problemOf(await http.fetch(new Request(url, { method }), HERE));
    expect(problem).toMatchObject({ status: 400, code: "OPTION_INVALID" });
  });

  test.each(calls)("$method $path needs the role $role", async ({ method, path, role }) => {
    const { http } = await served({ API_TOKENS: `${READ}:read,${OPERATE}:operate` });
    const wrong = role === "read" ? OPERATE : READ;
    const ask = (token: string) =>
      http.fetch(
        new Request(`http://localhost:8080${path}`, {
          method,
          headers: { authorization: `Bearer ${token}` },
        }),
        { address: "192.0.2.7" },
      );
    expect(await problemOf(await ask(wrong))).toMatchObject({ status: 403, code: "ROLE_MISSING", role });
    expect((await ask(wrong === READ ? OPERATE : READ)).status).not.toBe(403);
  });

  test.each([
    ["/api/dead-letters?hanlder=x", "Did you mean handler?"],
    ["/api/dead-letters?limit=0", 'limit is "0". It must be a whole number from 1 to 1000.'],
    ["/api/dead-letters?limit=5000", "from 1 to 1000"],
    ["/api/dead-letters?reason=tired", "It must be exhausted, fatal,"],
    ["/api/dead-letters?handler=", "It must be a text that is not empty"],
    ["/api/dead-letters?handler=a&handler=b", "handler is given twice."],
    ["/api/dead-letters/count?limit=5", 'There is no option "limit"'],
    ["/api/messages?state=dead", "It must be ready, waiting, running."],
    ["/api/instances?all=true", "There are none here."],
  ])("%s is refused", async (path, why) => {
    const { http } = await served();
    const problem = await problemOf(await http.fetch(get(path), HERE));
    expect(problem).toMatchObject({ status: 400, code: "OPTION_INVALID" });
    expect(problem["detail"]).toContain(why);
  });

  test("a handler that failed for good is told of with its code", async () => {
    const { t, http } = await served();
    t.app.registry.remove("hold");
    const registry = createRegistry();
    registry.on("fatal", { name: "fatal" }).execute(() => {
      throw new Fatal("the card is closed");
    });
    await using other = await createTestApp({ registry });
    await other.publish("fatal", {});
    const { deadLetters } = await json(
      createHttp(other.app, readConfig({})),
      get("/api/dead-letters?reason=fatal"),
    );
    expect(deadLetters).toMatchObject([{ errors: [{ code: "FATAL", message: "the card is closed" }] }]);
    expect(await json(http, get("/api/dead-letters"))).toEqual({ deadLetters: [] });
  });
});
