import { type App, createApp } from "../app.ts";
import type { AppOptions } from "../app-options.ts";
import type { CommandFrom } from "../commands/command-dispatcher.ts";
import type { Reply } from "../commands/reply.ts";
import type { Middleware, PublishOptions } from "../context.ts";
import type { Duration } from "../duration.ts";
import { memoryEngine } from "../engines/memory/engine.ts";
import type { EventType } from "../event-type.ts";
import type { PatternResult } from "../patterns/pattern-dispatcher.ts";
import { type DeadMessage, type PublishedMessage, recordingEngine } from "./recording-engine.ts";
import { seededRandom } from "./seeded-random.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** Options of {@link createTestApp}: those of `createApp` that make sense in a test. */
export interface TestAppOptions extends Omit<AppOptions, "engine" | "clock" | "http" | "env"> {
  /** What the virtual clock shows first. @default 2026-01-01T00:00:00Z */
  readonly now?: Date | number;
  /** Decides what is drawn at random (retry waits): the same seed, the same run. @default 1 */
  readonly seed?: number;
}

/** One run of a handler in a test's app. */
export interface TestRun {
  readonly handler: string;
  readonly event: string;
  readonly attempt: number;
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  readonly input: unknown;
  /** What it returned; absent when it failed or has not ended. */
  result?: unknown;
  /** What it threw. */
  error?: unknown;
}

/** An app in a test: on the memory engine, under a clock that stands still until the test moves it. */
export interface TestApp extends AsyncDisposable {
  readonly app: App;
  readonly clock: VirtualClock;
  /** Every run of every handler, in the order in which they began. */
  readonly runs: readonly TestRun[];
  /** Every reply that `handle` gave, in order. */
  readonly replies: readonly Reply[];
  /** Every message that failed for good, in order. */
  readonly deadLetters: readonly DeadMessage[];
  /** The app's time, in milliseconds since 1970. */
  now(): number;
  /** Moves time forward: every tick, delay and retry that falls due on the way runs, in order. `advance(0)` lets what is ready now run. */
  advance(duration: Duration): Promise<void>;
  /** The payloads of what was published, in order; of one event, or of all. */
  published<In>(event: EventType<In, unknown>): In[];
  published(event?: string): unknown[];
  /** The same with ids, headers, keys and due times. */
  messages(event?: EventType | string): PublishedMessage[];
  trigger<In>(event: EventType<In, unknown> | string, payload?: In): Promise<unknown[]>;
  /** Publishes and lets what is ready now run. */
  publish<In>(
    event: EventType<In, unknown> | string,
    payload?: In,
    options?: PublishOptions,
  ): Promise<string>;
  handle(text: string, from?: CommandFrom): Promise<Reply>;
  match(message: string | Readonly<Record<string, string>>): Promise<readonly PatternResult[]>;
  stop(): Promise<void>;
}

/** A handler that still runs after this long is taken to wait for the clock, not for the machine. */
const WAITS_FOR_CLOCK_MS = 20;
/** Unless a file is being read: that takes as long as the machine takes, but not for ever. */
const WAITS_FOR_FILES_MS = 1_000;

/**
 * Starts an app for a test: memory engine, virtual clock, silent log, no port, no environment. Works under any runner.
 *
 * @param options Handlers, registry, services, middleware: as for `createApp`.
 * @example
 * await using t = await createTestApp({ registry });
 * await t.publish("order.paid", { id: 1 });
 * await t.advance("1h");
 * assert.deepEqual(t.published("invoice.sent"), [{ order: 1 }]);
 */
export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const { now, seed = 1, ...rest } = options;
  const clock = new VirtualClock(now === undefined ? undefined : Number(now));
  const { engine, published, deadLetters } = recordingEngine(memoryEngine());
  const runs: TestRun[] = [];
  const open = new Map<TestRun, number>();
  const use = [recordInto(runs, open), ...(rest.use ?? [])];
  const app = createApp({
    log: "silent",
    shutdownTimeout: "100ms",
    ...rest,
    use,
    engine,
    clock,
    env: {},
    random: seededRandom(seed),
  });
  clock.idle = idleOf(app, open);
  await app.start();
  const replies: Reply[] = [];
  const messages = (event?: EventType | string): PublishedMessage[] => {
    const name = typeof event === "object" ? event.name : event;
    return published.filter((message) => name === undefined || message.event === name);
  };
  const payloads = (event?: EventType | string): unknown[] => messages(event).map(({ payload }) => payload);
  const test: TestApp = {
    app,
    clock,
    runs,
    replies,
    deadLetters,
    now: () => clock.now(),
    advance: (duration) => clock.advance(duration),
    published: payloads as TestApp["published"], // what was published of an event has passed its schema
    messages,
    trigger: (event, payload) => app.trigger(event, payload),
    async publish(event, payload, publishing) {
      const id = await app.publish(event, payload, publishing);
      await clock.advance(0);
      return id;
    },
    async handle(text, from) {
      const reply = await app.handle(text, from);
      replies.push(reply);
      return reply;
    },
    match: (message) => app.match(message),
    stop: () => app.stop(),
    [Symbol.asyncDispose]: () => app.stop(),
  };
  return test;
}

/** @param open The runs under way, with the machine's time at which they began. */
function recordInto(runs: TestRun[], open: Map<TestRun, number>): Middleware {
  return async (ctx, next) => {
    const { handler, event, attempt, input } = ctx;
    const run: TestRun = { handler, event, attempt, at: ctx.now(), input };
    runs.push(run);
    open.set(run, performance.now());
    try {
      return (run.result = await next());
    } catch (error) {
      run.error = error;
      throw error;
    } finally {
      open.delete(run);
    }
  };
}

/** Whether nothing will happen before time moves. */
function idleOf(app: App, open: ReadonlyMap<TestRun, number>): () => boolean {
  return () => {
    if (app.activity.asking) return false;
    if (open.size === 0) return true;
    const settled = performance.now() - (asksSystem() ? WAITS_FOR_FILES_MS : WAITS_FOR_CLOCK_MS);
    for (const began of open.values()) if (began > settled) return false;
    return true;
  };
}

/** Whether the system is being asked for something: a file's content, the address of a name. */
function asksSystem(): boolean {
  return process.getActiveResourcesInfo().some((name) => name.includes("Req"));
}
