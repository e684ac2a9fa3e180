import { alike } from "../alike.ts";
import { UnknownEventError } from "../errors.ts";
import { OPERATION_ROUTES } from "./operation-routes.ts";
import { errorFacts, HttpProblem, jsonResponse } from "./problem.ts";
import { readEventRequest } from "./publish-options.ts";
import { notJson, readBody, readJson } from "./read-body.ts";
import { parseJson } from "./json-text.ts";
import { readCommand, readMessage } from "./request-inputs.ts";
import type { Exchange, Route } from "./route.ts";
import type { ServedApp, ServedReport } from "./served-app.ts";

/** Everything that is served. */
export const ROUTES: readonly Route[] = [
  { method: "GET", path: "/live", role: undefined, answer: async ({ app }) => probe(app.live()) },
  { method: "GET", path: "/ready", role: undefined, answer: async ({ app }) => probe(await app.ready()) },
  { method: "GET", path: "/health", role: undefined, answer: async ({ app }) => probe(await app.health()) },
  { method: "GET", path: "/metrics", role: undefined, answer: metrics },
  { method: "POST", path: "/events/:name", role: "publish", answer: event },
  { method: "POST", path: "/commands", role: "publish", answer: command },
  { method: "POST", path: "/match", role: "publish", answer: match },
  ...OPERATION_ROUTES,
];

function probe(report: ServedReport): Response {
  const response = jsonResponse(report, report.status === "down" ? 503 : 200);
  response.headers.set("cache-control", "no-store");
  return response;
}

async function metrics({ app }: Exchange): Promise<Response> {
  const { text, contentType } = await app.metrics();
  return new Response(text, { headers: { "content-type": contentType } });
}

/**
 * The body is the payload. 202 with the id once the event is stored; with `?reply=true` 200 with what the replica that
 * handled it returned; with `?wait=true`, where nothing is stored, 200 with what its handlers returned here.
 */
async function event({ app, config, request, name }: Exchange): Promise<Response> {
  const { wait, reply, timeout, options } = readEventRequest(request);
  const payload = await readJson(request, config.bodyLimit);
  if (reply) {
    const asked = { ...options, ...(timeout !== undefined && { timeout }) };
    return jsonResponse({ result: orNull(await app.request(name, payload, asked)) });
  }
  if (!wait) return jsonResponse({ id: await app.publish(name, payload, options) }, 202);
  const { headers } = options;
  const results = await app.trigger(name, payload, { signal: request.signal, ...(headers && { headers }) });
  if (results.length === 0) throw new UnknownEventError(name, alike(name, topicsOf(app)));
  return jsonResponse({ results: results.map(orNull) });
}

/** Always 200 with the Reply, whatever its status: it is meant for whoever wrote the command, and bots pass it on. */
async function command({ app, config, request, roles }: Exchange): Promise<Response> {
  const { text, user, channel, locale } = readCommand(await readJson(request, config.bodyLimit));
  const from = { user, channel, locale: locale ?? config.locale, roles, signal: request.signal };
  return jsonResponse(await app.handle(text, from));
}

/** The body is an object of texts, or one text as text/plain. */
async function match({ app, config, request }: Exchange): Promise<Response> {
  const { text, type } = await readBody(request, config.bodyLimit);
  const isJson = type === "application/json" || type.endsWith("+json");
  if (!isJson && type !== "text/plain") throw notJson(type, ', or one text with "content-type: text/plain"');
  const message = isJson ? readMessage(parseJson(text)) : text;
  const results = await app.match(message, { signal: request.signal });
  return jsonResponse({
    results: results.map(({ handler, status, value, error }) => ({
      handler,
      status,
      value: orNull(value),
      ...(error === undefined ? {} : { error: errorFacts(error) }),
    })),
  });
}

/** JSON leaves `undefined` out, and a member that is promised must be there. */
function orNull(value: unknown): unknown {
  return value === undefined ? null : value;
}

function topicsOf(app: ServedApp): string[] {
  return app.handlers().flatMap(({ topic }) => (topic === undefined || topic.includes("*") ? [] : [topic]));
}

/** Nothing is served there. */
export function notFound(path: string): HttpProblem {
  const paths = ROUTES.map((route) => route.path);
  const [meant] = alike(path, paths, 1);
  const hint = meant === undefined ? `There are ${paths.join(", ")}.` : `Did you mean ${meant}?`;
  return new HttpProblem(404, "PATH_UNKNOWN", `Nothing is served at ${path}. ${hint}`);
}

/** Something is served there, but not for this method. */
export function methodNotAllowed(method: string, allowed: readonly string[]): HttpProblem {
  const list = allowed.join(", ");
  return new HttpProblem(
    405,
    "METHOD_NOT_ALLOWED",
    `${method} is not possible here; ${list} is.`,
    { allowed },
    { allow: list },
  );
}
