import { jsonResponse, HttpProblem } from "./problem.ts";
import {
  DEAD_LETTER_FIELDS,
  MESSAGE_FIELDS,
  MOST_ROWS,
  readDeadLetterOrder,
  refuseBody,
} from "./operation-inputs.ts";
import { count, readQuery, text } from "./query.ts";
import { readJson } from "./read-body.ts";
import type { Exchange, Route } from "./route.ts";

type Answer = Route["answer"];

/** What operators look at and do, as {@link ServedApp.operations} and the scheduler have it. */
export const OPERATION_ROUTES: readonly Route[] = [
  look("/api/handlers", async ({ app }) => ({ handlers: app.handlers() })),
  look("/api/problems", async ({ app }) => ({ problems: await app.operations.problems() })),
  { method: "GET", path: "/api/dead-letters", role: "read", answer: deadLetters },
  { method: "GET", path: "/api/dead-letters/count", role: "read", answer: deadLetterCount },
  { method: "POST", path: "/api/dead-letters/replay", role: "operate", answer: replay },
  { method: "POST", path: "/api/dead-letters/discard", role: "operate", answer: discard },
  { method: "GET", path: "/api/messages", role: "read", answer: messages },
  { method: "GET", path: "/api/messages/:id", role: "read", answer: message },
  { method: "POST", path: "/api/messages/:id/cancel", role: "operate", answer: cancel },
  look("/api/subscriptions", async ({ app }) => ({ subscriptions: await app.operations.subscriptions() })),
  { method: "DELETE", path: "/api/subscriptions/:handler", role: "operate", answer: unsubscribe },
  look("/api/instances", async ({ app }) => ({ instances: await app.operations.instances() })),
  look("/api/schedules", async ({ app }) => ({ schedules: await app.scheduler.tasks() })),
  { method: "GET", path: "/api/schedules/:task", role: "read", answer: task },
  { method: "POST", path: "/api/schedules/:task/run", role: "operate", answer: runTask },
  { method: "POST", path: "/api/schedules/:task/pause", role: "operate", answer: pauseTask(true) },
  { method: "POST", path: "/api/schedules/:task/resume", role: "operate", answer: pauseTask(false) },
];

/** A list without options. */
function look(path: string, list: (exchange: Exchange) => Promise<object>): Route {
  const answer: Answer = async (exchange) => {
    readQuery(exchange.request, {});
    return jsonResponse(await list(exchange));
  };
  return { method: "GET", path, role: "read", answer };
}

async function deadLetters({ app, request }: Exchange): Promise<Response> {
  const filter = readQuery(request, { ...DEAD_LETTER_FIELDS, limit: count(MOST_ROWS) });
  return jsonResponse({ deadLetters: await app.operations.deadLetters(filter) });
}

async function deadLetterCount({ app, request }: Exchange): Promise<Response> {
  const filter = readQuery(request, DEAD_LETTER_FIELDS);
  return jsonResponse({ count: await app.operations.countDeadLetters(filter) });
}

/** Answers when the last one is ready, which with a rate takes its time; it ends early when the client goes. */
async function replay({ app, config, request }: Exchange): Promise<Response> {
  readQuery(request, {});
  const body = await readJson(request, config.bodyLimit);
  const { filter, rate } = readDeadLetterOrder(body, "POST /api/dead-letters/replay", true);
  const options = { signal: request.signal, ...(rate && { rate }) };
  return jsonResponse({ replayed: await app.operations.replay(filter, options) });
}

async function discard({ app, config, request }: Exchange): Promise<Response> {
  readQuery(request, {});
  const body = await readJson(request, config.bodyLimit);
  const { filter } = readDeadLetterOrder(body, "POST /api/dead-letters/discard", false);
  return jsonResponse({ discarded: await app.operations.discard(filter) });
}

async function messages({ app, request }: Exchange): Promise<Response> {
  return jsonResponse({ messages: await app.operations.messages(readQuery(request, MESSAGE_FIELDS)) });
}

async function message({ app, request, name }: Exchange): Promise<Response> {
  readQuery(request, {});
  const found = await app.operations.message(name);
  if (found) return jsonResponse(found);
  throw new HttpProblem(
    404,
    "MESSAGE_UNKNOWN",
    `No message ${JSON.stringify(name)} waits, runs or is among the dead letters: it is done, or was cancelled, or there never was one of this id.`,
  );
}

async function cancel({ app, config, request, name }: Exchange): Promise<Response> {
  const { handler } = readQuery(request, { handler: text });
  await refuseBody(request, config.bodyLimit);
  return jsonResponse(await app.operations.cancel(name, handler));
}

async function unsubscribe({ app, config, request, name }: Exchange): Promise<Response> {
  readQuery(request, {});
  await refuseBody(request, config.bodyLimit);
  if (await app.operations.unsubscribe(name)) return jsonResponse({ removed: name });
  throw new HttpProblem(404, "SUBSCRIPTION_UNKNOWN", `There is no subscription ${JSON.stringify(name)}.`);
}

async function task({ app, request, name }: Exchange): Promise<Response> {
  const { ticks } = readQuery(request, { ticks: count(MOST_ROWS) });
  return jsonResponse(await app.scheduler.task(name, ticks));
}

async function runTask({ app, config, request, name }: Exchange): Promise<Response> {
  readQuery(request, {});
  await refuseBody(request, config.bodyLimit);
  return jsonResponse({ id: await app.scheduler.runNow(name) }, 202);
}

function pauseTask(paused: boolean): Answer {
  return async ({ app, config, request, name }) => {
    readQuery(request, {});
    await refuseBody(request, config.bodyLimit);
    await (paused ? app.scheduler.pause(name) : app.scheduler.resume(name));
    return jsonResponse({ task: name, paused });
  };
}
