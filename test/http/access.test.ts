import { describe, expect, test } from "vitest";
import { get, post, problemOf, serve } from "./small-app.ts";

const ALL = "all-roles-0123456789";
const READ = "read-only-0123456789";
const PUBLISH = "publisher-0123456789";
const TOKENS = { API_TOKENS: `${ALL},${READ}:read,${PUBLISH}:publish` };
const FAR = { address: "192.0.2.7" };

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

describe("without tokens", () => {
  test.each(["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])(
    "%s is free to do everything",
    async (address) => {
      const { http } = serve();
      expect((await http.fetch(post("/events/order.paid", {}), { address })).status).toBe(202);
      expect((await http.fetch(get("/api/handlers"), { address })).status).toBe(200);
    },
  );

  test.each(["192.0.2.7", "10.0.0.1", "fd00::2", "::ffff:192.0.2.7", "::127.0.0.1", undefined])(
    "%s gets nothing but health and metrics",
    async (address) => {
      const { http, app } = serve();
      for (const path of ["/live", "/ready", "/health", "/metrics"]) {
        expect((await http.fetch(get(path), { address })).status).toBe(200);
      }
      for (const request of [
        post("/events/order.paid", {}),
        post("/events/order.paid?wait=true", {}),
        post("/commands", { text: "/hi" }),
        post("/match", { content: "ERROR" }),
        get("/api/handlers"),
        get("/events/order.paid"),
        get("/nothing"),
        get("/"),
      ]) {
        const response = await http.fetch(request, { address });
        expect(response.status).toBe(401);
        expect(response.headers.get("www-authenticate")).toMatch(/^Bearer /);
        expect(await problemOf(response)).toMatchObject({ code: "TOKEN_REQUIRED" });
      }
      expect(app.stored).toEqual([]);
      expect(app.callers).toEqual([]);
    },
  );

  test.each(["x-forwarded-for", "forwarded", "x-real-ip"])("%s is never believed", async (name) => {
    const { http } = serve();
    const spoofed = { [name]: name === "forwarded" ? "for=127.0.0.1" : "127.0.0.1" };
    expect((await http.fetch(post("/events/order.paid", {}, spoofed), FAR)).status).toBe(401);
    // What a proxy on this machine passes on comes from elsewhere.
    expect((await http.fetch(post("/events/order.paid", {}, spoofed))).status).toBe(401);
  });

  test.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "app.internal:8080",
    "192.0.2.7",
  ])("a name that merely resolves to this machine (%s) is refused", async (host) => {
    const { http } = serve();
    const { body, headers } = post("/events/order.paid", {});
    const request = new Request(`http://${host}/events/order.paid`, {
      method: "POST",
      body,
      headers,
      duplex: "half",
    });
    expect(await problemOf(await http.fetch(request))).toMatchObject({ status: 403, code: "HOST_FOREIGN" });
  });

  test.each(["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:8080", "http://app.localhost"])(
    "a page of this machine (%s) may",
    async (origin) => {
      expect((await serve().http.fetch(post("/events/order.paid", {}, { origin }))).status).toBe(202);
    },
  );

  test.each([
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://localhost.evil.example" },
    { "sec-fetch-site": "cross-site" },
  ])("a page of elsewhere (%j) may not", async (headers) => {
    const { http, app } = serve();
    const response = await http.fetch(post("/events/order.paid", {}, headers as Record<string, string>));
    expect(await problemOf(response)).toMatchObject({ status: 403, code: "ORIGIN_FOREIGN" });
    expect(app.stored).toEqual([]);
  });
});

describe("with tokens", () => {
  test("each request needs one, here as elsewhere", async () => {
    const { http } = serve(TOKENS);
    for (const peer of [undefined, FAR]) {
      expect((await http.fetch(post("/events/order.paid", {}), peer)).status).toBe(401);
      expect((await http.fetch(post("/events/order.paid", {}, bearer(ALL)), peer)).status).toBe(202);
    }
  });

  test("health and metrics need none", async () => {
    const { http } = serve(TOKENS);
    for (const path of ["/live", "/ready", "/health", "/metrics"]) {
      expect((await http.fetch(get(path), FAR)).status).toBe(200);
    }
  });

  test.each(["Bearer", "Bearer ", "Basic YTpi", ALL, `Token ${ALL}`])(
    "%j is no bearer token",
    async (authorization) => {
      const response = await serve(TOKENS).http.fetch(get("/api/handlers", { authorization }));
      expect(await problemOf(response)).toMatchObject({ status: 401, code: "TOKEN_REQUIRED" });
    },
  );

  test("a wrong token is refused, and never shown", async () => {
    const response = await serve(TOKENS).http.fetch(get("/api/handlers", bearer(`${ALL}x`)));
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 401, code: "TOKEN_INVALID" });
    expect(JSON.stringify(problem)).not.toContain(ALL);
  });

  test("a token does what its roles allow, and no more", async () => {
    const { http } = serve(TOKENS);
    expect((await http.fetch(get("/api/handlers", bearer(READ)))).status).toBe(200);
    expect((await http.fetch(post("/match", { content: "" }, bearer(PUBLISH)))).status).toBe(200);
    const response = await http.fetch(post("/match", { content: "" }, bearer(READ)));
    expect(response.headers.get("www-authenticate")).toContain("insufficient_scope");
    expect(await problemOf(response)).toMatchObject({ status: 403, code: "ROLE_MISSING", role: "publish" });
    expect((await http.fetch(get("/api/handlers", bearer(PUBLISH)))).status).toBe(403);
  });

  test("the scheme's name may be written as one likes", async () => {
    expect(
      (await serve(TOKENS).http.fetch(get("/api/handlers", { authorization: `bearer  ${READ}` }))).status,
    ).toBe(200);
  });
});

test("a token's own roles open commands, and nothing of the API", async () => {
  const { http, app } = serve({ API_TOKENS: `${PUBLISH}:publish+moderator` });
  expect((await http.fetch(post("/commands", { text: "/hi" }, bearer(PUBLISH)))).status).toBe(200);
  expect(app.callers[0]?.roles).toEqual(["publish", "moderator"]);
  const refused = await http.fetch(post("/api/dead-letters/replay", { all: true }, bearer(PUBLISH)));
  expect(refused.status).toBe(403);
  const missing = await http.fetch(get("/api/handlers", bearer(PUBLISH)));
  expect(await problemOf(missing)).toMatchObject({ status: 403, code: "ROLE_MISSING" });
});

test("a command's roles come from the token, never from the body", async () => {
  const { http, app } = serve(TOKENS);
  await http.fetch(post("/commands", { text: "/hi" }, bearer(PUBLISH)));
  expect(app.callers[0]?.roles).toEqual(["publish"]);
  const response = await http.fetch(post("/commands", { text: "/hi", roles: ["operate"] }, bearer(PUBLISH)));
  expect(await problemOf(response)).toMatchObject({
    status: 422,
    errors: [{ path: "roles", message: expect.stringContaining("come from the token") }],
  });
  expect(app.callers).toHaveLength(1);
});
