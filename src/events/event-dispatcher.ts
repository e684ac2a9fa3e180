import type { StandardSchemaV1 } from "@standard-schema/spec";
import { DeclarationError, type HandlerOutcome, HandlersFailedError } from "../errors.ts";
import type { EventType } from "../event-type.ts";
import type { EventHandler, Handler } from "../handler.ts";
import type { Call, HandlerContext } from "../pipeline/handler-context.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import type { Runner } from "../pipeline/runner.ts";
import { defaultRegistry, type HandlerRegistry } from "../registry.ts";
import { validate } from "../schema.ts";
import { isPattern, TopicIndex, topicFault } from "../topic.ts";

/** Who handles events of one name, worked out once. */
interface Plan {
  readonly runners: readonly Runner[];
  /** The schema of each runner's handler. */
  readonly schemas: readonly (StandardSchemaV1 | undefined)[];
  readonly checked: boolean;
  /** Some handler's topic is a pattern: its context needs to be told the event's own name. */
  readonly named: boolean;
  /** The only handler, where it needs neither. */
  readonly only: Runner | undefined;
}

const PLANS_KEPT = 4096;

/** Delivers events in this process, now, and returns what the handlers returned. */
export class EventDispatcher {
  /** How many triggered events found no handler. */
  unhandled = 0;
  readonly #pipeline: Pipeline;
  readonly #topics = new TopicIndex<EventHandler>();
  readonly #plans = new Map<string, Plan>();
  readonly #leave: () => void;

  /**
   * @param options.registry Whose event handlers to deliver to; the default registry unless told.
   * @param options.pipeline What runs go through; a bare one unless told, which is enough for a dispatcher on its own.
   */
  constructor(options: { registry?: HandlerRegistry; pipeline?: Pipeline } = {}) {
    this.#pipeline = options.pipeline ?? new Pipeline();
    this.#leave = (options.registry ?? defaultRegistry).watch({
      added: (handler) => this.#change(handler, "add"),
      removed: (handler) => this.#change(handler, "remove"),
    });
  }

  /**
   * Runs all handlers of an event at once and returns their results, smaller priority first, then in order of
   * declaration. An event that nobody handles gives an empty list.
   *
   * @throws {PayloadError} when the payload does not fit; then no handler has run.
   * @throws {HandlersFailedError} when handlers failed; the others have run to their end, and it has their results.
   * @example
   * const [welcome] = await new EventDispatcher().trigger("user.login", { username: "alice" });
   */
  trigger<In>(event: EventType<In, unknown> | string, payload?: In, call?: Call): Promise<unknown[]> {
    const name = typeof event === "string" ? event : event.name;
    const schema = typeof event === "string" ? undefined : event.schema;
    const plan = this.#plans.get(name);
    // One handler without a schema is the common case, and the one in which everything around it shows.
    if (plan?.only && schema === undefined) return runOne(name, plan.only, payload, call);
    return this.#trigger(name, schema, payload, call);
  }

  /** The event handlers whose topic matches a name, in order of declaration. */
  handlersOf(event: string): readonly EventHandler[] {
    return this.#topics.match(event);
  }

  /** Stops following the registry. */
  close(): void {
    this.#leave();
  }

  async #trigger(
    name: string,
    schema: StandardSchemaV1 | undefined,
    payload: unknown,
    call: Call | undefined,
  ): Promise<unknown[]> {
    const plan = this.#plans.get(name) ?? this.#plan(name);
    const checked = plan.checked || schema !== undefined;
    const inputs = checked ? await inputsFor(plan, schema, payload, name) : undefined;
    const { runners } = plan;
    const named = plan.named ? { ...call, event: name } : call;
    const [first] = runners;
    if (first === undefined) {
      this.unhandled++;
      return [];
    }
    return runners.length === 1
      ? runOne(name, first, inputs === undefined ? payload : inputs[0], named)
      : runAll(name, runners, inputs, payload, named);
  }

  #plan(name: string): Plan {
    const fault = isPattern(name) ? "has a star in it" : topicFault(name);
    if (fault)
      throw new DeclarationError("EVENT_NAME_INVALID", `The event name ${JSON.stringify(name)} ${fault}.`);
    const handlers = [...this.#topics.find(name)].sort(
      (a, b) => (a.options.priority ?? 0) - (b.options.priority ?? 0),
    );
    const schemas = handlers.map((handler) => handler.schema);
    const runners = handlers.map((handler) => this.#pipeline.runner(handler));
    const checked = schemas.some((schema) => schema !== undefined);
    const named = handlers.some((handler) => isPattern(handler.topic));
    const only = runners.length === 1 && !checked && !named ? runners[0] : undefined;
    const plan = { runners, schemas, checked, named, only };
    if (this.#plans.size >= PLANS_KEPT) this.#plans.clear();
    this.#plans.set(name, plan);
    return plan;
  }

  #change(handler: Handler, how: "add" | "remove"): void {
    if (handler.kind !== "event") return;
    this.#topics[how](handler.topic, handler);
    this.#plans.clear();
  }
}

async function runOne(
  event: string,
  runner: Runner,
  input: unknown,
  call: Call | undefined,
): Promise<unknown[]> {
  const context = runner.goesBare(call) ? runner.context(input, call) : undefined;
  try {
    const value = await (context ? runner.run(input, context) : runner.call(input, call));
    if (context) runner.endedWell(context);
    return [value];
  } catch (error) {
    if (context) runner.endedBadly(context, error);
    throw new HandlersFailedError(event, [{ handler: runner.handler.name, status: "failed", error }]);
  }
}

/** Runs all at once. One that fails does not stop the others. Loops, because this is counted in nanoseconds. */
async function runAll(
  event: string,
  runners: readonly Runner[],
  inputs: readonly unknown[] | undefined,
  payload: unknown,
  call: Call | undefined,
): Promise<unknown[]> {
  const runs: unknown[] = [];
  const contexts: (HandlerContext | undefined)[] = [];
  for (let at = 0; at < runners.length; at++) {
    const runner = runners[at] as Runner; // at < length, here and below
    const input = inputs === undefined ? payload : inputs[at];
    const context = runner.goesBare(call) ? runner.context(input, call) : undefined;
    contexts.push(context);
    runs.push(context ? begin(runner, input, context) : runner.call(input, call));
  }
  try {
    const values = await Promise.all(runs);
    for (let at = 0; at < runners.length; at++) {
      const context = contexts[at];
      if (context) (runners[at] as Runner).endedWell(context);
    }
    return values;
  } catch {
    const settled = await Promise.allSettled(runs);
    throw new HandlersFailedError(
      event,
      settled.map((result, at) => outcomeOf(result, runners[at] as Runner, contexts[at])),
    );
  }
}

function outcomeOf(
  result: PromiseSettledResult<unknown>,
  runner: Runner,
  context?: HandlerContext,
): HandlerOutcome {
  const handler = runner.handler.name;
  if (result.status === "fulfilled") {
    if (context) runner.endedWell(context);
    return { handler, status: "ok", value: result.value };
  }
  if (context) runner.endedBadly(context, result.reason);
  return { handler, status: "failed", error: result.reason };
}

/** Makes a rejection of what a handler throws before its first await. */
function begin(runner: Runner, input: unknown, context: HandlerContext): unknown {
  try {
    return runner.run(input, context);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** What each runner gets: the payload as its own handler's schema puts it out. Each schema checks once. */
async function inputsFor(
  plan: Plan,
  schema: StandardSchemaV1 | undefined,
  payload: unknown,
  event: string,
): Promise<unknown[]> {
  const outputs = new Map<StandardSchemaV1, unknown>();
  for (const wanted of new Set([schema, ...plan.schemas])) {
    if (wanted) outputs.set(wanted, await validate(wanted, payload, `event "${event}"`));
  }
  const published = schema ? outputs.get(schema) : payload;
  return plan.schemas.map((wanted) => (wanted ? outputs.get(wanted) : published));
}
