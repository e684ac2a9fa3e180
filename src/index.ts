/// <reference lib="esnext.disposable" preserve="true" />
// The public door of decorator-framework. What is not exported here is not promised.

// Declaring handlers.
export { on } from "./declare/on.ts";
export { timeOn } from "./declare/time-on.ts";
export { commandOn } from "./declare/command-on.ts";
export { reOn } from "./declare/re-on.ts";
export { defineEvent } from "./declare/define-event.ts";
export { createRegistry } from "./declare/create-registry.ts";

// Running them.
export { createApp, type App } from "./app.ts";
export type { AppOptions } from "./app-options.ts";
export { snooze, cancel } from "./outcome.ts";

// The dispatcher of each kind, for use without an app.
export { EventDispatcher } from "./events/event-dispatcher.ts";
export { TimeTaskScheduler } from "./time/time-task-scheduler.ts";
export { CommandDispatcher } from "./commands/command-dispatcher.ts";
export { PatternDispatcher } from "./patterns/pattern-dispatcher.ts";

// What handlers get and give.
export type { Context, Middleware, Services } from "./context.ts";
export type { EventType, PayloadOf } from "./event-type.ts";
export type { PatternMatch, Tick } from "./handler.ts";
export type { Reply } from "./commands/reply.ts";
export type { PatternResult } from "./patterns/pattern-dispatcher.ts";
export type { Duration } from "./duration.ts";
export type { Logger } from "./log.ts";

// Sources of text.
export { lines } from "./sources/lines.ts";

// What handlers work with.
export { cached } from "./resources/cached.ts";
export { httpPool, type HttpPool } from "./resources/http-pool.ts";

// Errors; each has a stable `code`.
export { FrameworkError, Fatal, RetryAfter, PayloadError, HandlersFailedError } from "./errors.ts";
export { ConfigError, EngineError, LifecycleError, TimeoutError } from "./errors.ts";

// The engine contract, for authors of engines.
export type { Engine } from "./engine.ts";
