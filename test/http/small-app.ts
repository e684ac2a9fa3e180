import type { PublishOptions } from "../../src/context.ts";
import { readConfig } from "../../src/config.ts";
import { alike } from "../../src/alike.ts";
import { HandlersFailedError, LifecycleError, PayloadError, UnknownEventError } from "../../src/errors.ts";
import { createHttp, type HttpServer } from "../../src/http/create-http.ts";
import type { ServedApp, ServedCall, ServedCaller } from "../../src/http/served-app.ts";
import { type Logger, silentLogger } from "../../src/log.ts";

/** What was published. */
export interface Stored {
  readonly event: string;
  readonly payload: unknown;
  readonly options: PublishOptions;
}

type Handlers = Record<string, (payload: unknown, call: ServedCall) => unknown>;

/** An app small enough to be read at once: its events are functions, what is published is kept in a list. */
export class SmallApp implements ServedApp {
  readonly stored: Stored[] = [];
  readonly callers: ServedCaller[] = [];
  readonly logged: object[] = [];
  readonly events: Handlers;
  status: "ok" | "degraded" | "down" = "ok";

  constructor(events: Handlers = {}) {
    this.events = { "order.paid": (payload) => ({ paid: payload }), ...events };
  }

  get log(): Logger {
    return { ...silentLogger, error: (fields) => void this.logged.push(fields) };
  }

  async trigger(event: string, payload: unknown, call: ServedCall): Promise<readonly unknown[]> {
    const handler = this.events[event];
    if (!handler) return [];
    try {
      return [await handler(payload, call)];
    } catch (error) {
      if (error instanceof PayloadError) throw error;
      throw new HandlersFailedError(event, [
        { handler: "first", status: "ok", value: 1 },
        { handler: "second", status: "failed", error },
      ]);
    }
  }

  async publish(event: string, payload: unknown, options: PublishOptions): Promise<string> {
    if (!this.events[event]) throw new UnknownEventError(event, alike(event, Object.keys(this.events)));
    if (payload === "misfit") {
      throw new PayloadError(event, [{ path: "user.email", message: "must be an e-mail address" }]);
    }
    this.stored.push({ event, payload, options });
    return `m-${this.stored.length}`;
  }

  async request(event: string, payload: unknown): Promise<unknown> {
    return this.events[event]?.(payload, {});
  }

  /** Operations are tested with a whole app: see operations.test.ts. */
  get operations(): never {
    throw new LifecycleError("APP_NOT_STARTED", "The small app has no operations.");
  }

  get scheduler(): never {
    throw new LifecycleError("APP_NOT_STARTED", "The small app has no scheduler.");
  }

  async handle(text: string, from: ServedCaller): Promise<object> {
    this.callers.push(from);
    return text === "/hi"
      ? { status: "ok", text: "hello" }
      : { status: "unknown", text: `There is no ${text}.` };
  }

  async match(message: string | Readonly<Record<string, string>>): ReturnType<ServedApp["match"]> {
    const text = typeof message === "string" ? message : (message["content"] ?? "");
    if (text.includes("odd")) {
      return [{ handler: "odd", status: "failed", value: undefined, error: new TypeError("was odd") }];
    }
    return text.includes("ERROR") ? [{ handler: "errors", status: "ok", value: text.length }] : [];
  }

  live() {
    return { status: this.status, problems: [] };
  }

  async ready() {
    return { status: this.status, problems: [] };
  }

  async health() {
    return { status: this.status, problems: [], engine: { name: "small" } };
  }

  async metrics() {
    return { text: "up 1\n", contentType: "text/plain; version=0.0.4" };
  }

  handlers() {
    return Object.keys(this.events).map((topic) => ({ name: topic, kind: "event", topic }));
  }
}

/** Serves a small app, configured by environment variables. */
export function serve(
  env: Record<string, string> = {},
  app = new SmallApp(),
): { app: SmallApp; http: HttpServer } {
  return { app, http: createHttp(app, readConfig(env)) };
}

/** A POST of JSON. */
export function post(path: string, body: unknown, headers: Record<string, string> = {}): Request {
  return new Request(`http://localhost:8080${path}`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
}

export function get(path: string, headers: Record<string, string> = {}): Request {
  return new Request(`http://localhost:8080${path}`, { headers });
}

/** The body of a problem reply, whose standard members are checked. */
export async function problemOf(response: Response): Promise<Record<string, unknown>> {
  if (response.headers.get("content-type") !== "application/problem+json") {
    throw new Error(`no problem, but ${response.status} ${await response.text()}`);
  }
  const problem = (await response.json()) as Record<string, unknown>;
  for (const member of ["type", "title", "detail", "code", "instance"]) {
    if (typeof problem[member] !== "string")
      throw new Error(`${member} is missing in ${JSON.stringify(problem)}`);
  }
  if (problem["status"] !== response.status) throw new Error("the status in the body is another");
  return problem;
}
