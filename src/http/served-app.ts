import type { PublishOptions } from "../context.ts";
import type { Duration } from "../duration.ts";
import type { Logger } from "../log.ts";
import type { Operations } from "../operations.ts";

/** What HTTP needs of an app. It stands on this and not on the app itself, so that tests may serve a small one. */
export interface ServedApp {
  readonly log: Logger;
  /** Runs an event's handlers now; an empty list means that there are none. */
  trigger(event: string, payload: unknown, call: ServedCall): Promise<readonly unknown[]>;
  /** Stores an event and resolves with its id. */
  publish(event: string, payload: unknown, options: PublishOptions): Promise<string>;
  /** Stores an event and resolves with what the first of its handlers to end well returns, wherever it runs. */
  request(
    event: string,
    payload: unknown,
    options: PublishOptions & { readonly timeout?: Duration },
  ): Promise<unknown>;
  handle(text: string, from: ServedCaller): Promise<object>;
  match(
    message: string | Readonly<Record<string, string>>,
    call: ServedCall,
  ): Promise<readonly ServedMatch[]>;
  live(): ServedReport;
  ready(): Promise<ServedReport>;
  health(): Promise<ServedReport>;
  metrics(): Promise<{ readonly text: string; readonly contentType: string }>;
  /** What is declared, as JSON can show it. */
  handlers(): readonly ServedHandler[];
  readonly operations: ServedOperations;
  readonly scheduler: ServedScheduler;
}

/** What operators do; see {@link Operations} for each. */
export type ServedOperations = Pick<
  Operations,
  | "deadLetters"
  | "countDeadLetters"
  | "replay"
  | "discard"
  | "messages"
  | "message"
  | "cancel"
  | "subscriptions"
  | "unsubscribe"
  | "instances"
  | "problems"
>;

/** Which dead letters. */
export type ServedDeadLetterFilter = Parameters<Operations["discard"]>[0];

/** The timers. */
export interface ServedScheduler {
  tasks(): Promise<readonly object[]>;
  /** All that is known of one, with so many of its next ticks. */
  task(task: string, ticks?: number): Promise<object>;
  /** Resolves with the id of the message, or of the run. */
  runNow(task: string): Promise<string>;
  pause(task: string): Promise<void>;
  resume(task: string): Promise<void>;
}

/** What is known of a call beside its input. */
export interface ServedCall {
  readonly headers?: Readonly<Record<string, string>>;
  /** Aborts when the client has gone. */
  readonly signal?: AbortSignal;
}

/** Who sent a command. */
export interface ServedCaller {
  readonly user?: string | undefined;
  readonly channel?: string | undefined;
  readonly locale?: string | undefined;
  /** Those of the token; never what the body says. */
  readonly roles: readonly string[];
  readonly signal?: AbortSignal;
}

/** How the handler of a pattern that matched has fared. */
export interface ServedMatch {
  readonly handler: string;
  readonly status: string;
  readonly value: unknown;
  readonly error?: unknown;
}

/** A report of health: anything but `down` is answered with 200. */
export interface ServedReport {
  readonly status: "ok" | "degraded" | "down";
}

/** A handler for lists. */
export interface ServedHandler {
  readonly name: string;
  readonly kind: string;
  /** Of an event's handler: what it is subscribed to. */
  readonly topic?: string;
}
