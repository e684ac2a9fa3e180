/*
 * The engine contract: who stores, delivers and counts. Several small ports, each method one sentence of guarantee.
 *
 * Words (the whole system uses them; see the glossary in ARCHITECTURE.md):
 *   message       an event that was published: id, payload, headers. Immutable.
 *   subscription  a handler's durable interest in a topic, under the handler's name.
 *   delivery      one message for one subscription: what is claimed, retried, settled. Known by message id + handler.
 *   claim         a delivery taken by an instance for one attempt, with a fencing token.
 *   settle        to say how the attempt ended.
 *   instance      one start of a process (an incarnation); its presence is a heartbeat.
 *
 * An engine stores text: payloads, headers and step results come encoded as JSON and leave as they came. An engine
 * never logs, validates or runs handlers: the layers above do. All times are milliseconds since 1970 by `now()`.
 */

import type { Clock } from "./clock.ts";
import type { Schedules } from "./engine-schedules.ts";
import type { Transfer } from "./engine-transfer.ts";

export * from "./engine-schedules.ts";

/** One engine, connected or not. All methods of all ports may be called only between `start` and `stop`. */
export interface Engine {
  /** The URL's scheme: `"sqlite"`. */
  readonly name: string;
  /** The URL without secrets, for people. */
  readonly location: string;
  readonly capabilities: Capabilities;

  readonly queue: Queue;
  readonly deadLetters: DeadLetters;
  readonly schedules: Schedules;
  readonly limits: Limits;
  readonly state: State;
  readonly presence: Presence;
  readonly signals: Signals;
  readonly transfer: Transfer;

  /** Connects, brings the schema up to date and registers this instance; rejects with a DataFileError or EngineError that says what to do, having changed nothing. */
  start(options: EngineStart): Promise<void>;
  /** Ends this instance's presence, gives back every claim it still holds without spending their attempt, and disconnects. Legal before start, and twice. */
  stop(): Promise<void>;
  /** The engine's own time, which all replicas share; no replica's clock counts. */
  now(): number;
  /** Rejects when the engine cannot be reached, written or trusted right now. */
  check(): Promise<void>;
}

/** What an engine is given when its app starts. */
export interface EngineStart {
  readonly clock: Clock;
  readonly instance: InstanceInfo;
  /** How long an instance that gives no sign of life keeps its claims, in milliseconds. */
  readonly lease: number;
  /** Refuses with `ENGINE_EMPTY` a store that is not there yet, where making one would leave something behind. @default false: it is made */
  readonly existing?: boolean;
}

/** What an engine can do; what is asked beyond it is refused at start. */
export interface Capabilities {
  /** Survives the end of the process. */
  readonly durable: boolean;
  /** Shared by several processes. */
  readonly shared: boolean;
  /** An acknowledged publish survives a power cut. */
  readonly strict: boolean;
  /** Messages can be published in a transaction of the caller's on the same server. @default false */
  readonly transactions?: boolean;
}

/** One start of a process. */
export interface InstanceInfo {
  /** New at each start: a restarted host never hides what its last incarnation held. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: number;
}

/** A handler's durable interest. */
export interface Subscription {
  readonly handler: string;
  /** A topic, with `*` and `**`; `undefined` for one that only gets what is sent `to` it (a timer's ticks). */
  readonly topic: string | undefined;
}

/** A message on its way in. */
export interface NewMessage {
  readonly event: string;
  /** JSON. */
  readonly payload: string;
  /** JSON of an object of strings, or undefined for none. */
  readonly headers?: string | undefined;
  /** Smaller first. */
  readonly priority: number;
  /** Not to be claimed before. */
  readonly due: number;
  readonly key?: string | undefined;
  readonly dedupe?: { readonly key: string; readonly until: number } | undefined;
  readonly expires?: number | undefined;
  /** Only this subscription gets it, whatever its topic. */
  readonly to?: string | undefined;
}

/** What became of a message on its way in. */
export interface Published {
  readonly id: string;
  /** Another message with this dedupe key was there before: `id` is that one's, and nothing was stored. */
  readonly duplicate: boolean;
  /** For how many subscriptions it was stored. 0: nobody is subscribed, and it was put among the dead letters as `unrouted`. */
  readonly deliveries: number;
}

/** What one handler could take right now. */
export interface Want {
  readonly handler: string;
  readonly limit: number;
}

/** Names one attempt at one delivery; only its holder has the token. */
export interface ClaimRef {
  readonly id: string;
  readonly handler: string;
  /** The engine's own handle of the delivery. */
  readonly seq: number | string;
  /** Never given twice: settling with an old one is refused. */
  readonly token: number | string;
  /** The delivery's ordering key, where it is known. */
  readonly key?: string | undefined;
}

/** A delivery that this instance holds. */
export interface Claim extends ClaimRef {
  readonly event: string;
  readonly payload: string;
  readonly headers: string | undefined;
  /** How often it was claimed, this time included; given-back claims do not count. */
  readonly attempt: number;
  readonly priority: number;
  readonly key: string | undefined;
  readonly publishedAt: number;
  /** When it was to be delivered first. */
  readonly due: number;
  readonly expires: number | undefined;
  /** JSON of an object: the stored results of finished steps by name. */
  readonly steps: string | undefined;
  /** JSON of an array of {@link AttemptError}. */
  readonly errors: string | undefined;
}

/** What a claim call found. */
export interface Claims {
  readonly claims: readonly Claim[];
  /** The earliest moment at which a delivery of these handlers that is not due yet falls due (an engine may answer for all handlers); undefined when there is none. One that has passed means: claim again. */
  readonly nextDue: number | undefined;
}

/** Why one attempt failed. */
export interface AttemptError {
  readonly attempt: number;
  readonly at: number;
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
  readonly stack?: string | undefined;
}

/** How an attempt ended. */
export type Settlement = { readonly claim: ClaimRef } & (
  | { readonly kind: "done" }
  /** Failed; again not before `at`. */
  | { readonly kind: "retry"; readonly at: number; readonly error: AttemptError }
  /** Not now; again not before `at`, and the attempt is not counted. */
  | { readonly kind: "snooze"; readonly at: number }
  /** Failed for good. */
  | { readonly kind: "dead"; readonly reason: DeadReason; readonly error: AttemptError | undefined }
  /** Given back at once, and the attempt is not counted. */
  | { readonly kind: "release" }
);

/** Why a delivery is among the dead letters. */
export type DeadReason =
  /** All attempts failed. */
  | "exhausted"
  /** The handler threw Fatal, or retryIf said no. */
  | "fatal"
  /** The payload does not fit the schema, or is not JSON. */
  | "invalid"
  /** Not claimed before it expired. */
  | "expired"
  /** Its process died in each attempt. */
  | "poison"
  /** Nobody was subscribed. */
  | "unrouted";

/** Storage and delivery of messages. */
export interface Queue {
  /** Registers subscriptions durably, by handler name; one that exists with the same topic is left alone. A message published after this resolves reaches them. */
  subscribe(subscriptions: readonly Subscription[]): Promise<void>;
  /** Removes a subscription and its waiting deliveries; false when there is none. */
  unsubscribe(handler: string): Promise<boolean>;
  /** All subscriptions, with what waits for them. */
  subscriptions(): Promise<readonly SubscriptionInfo[]>;
  /**
   * Stores all messages or none, one delivery for each subscription; resolves once they are safe, in the order given.
   * @param transaction The caller's own, of a client that the engine knows: they are stored, and wake, when it commits, and never were when it is rolled back. Only where `capabilities.transactions`.
   */
  publish(messages: readonly NewMessage[], transaction?: object): Promise<readonly Published[]>;
  /** Takes up to `limit` ready deliveries for each want, smaller priority first, then in the order published; nobody else gets them while this instance is alive. */
  claim(wants: readonly Want[]): Promise<Claims>;
  /** Ends attempts, all in one step; answers for each whether it was still this instance's to settle. */
  settle(settlements: readonly Settlement[]): Promise<readonly boolean[]>;
  /** Stores the result of a step (JSON) with the delivery; false when the claim was lost. */
  saveStep(claim: ClaimRef, name: string, result: string): Promise<boolean>;
  /** The deliveries of a message that are waiting or running, with their payloads. */
  find(id: string): Promise<readonly DeliveryInfo[]>;
  /** Deliveries that are waiting or running, oldest first. */
  list(filter: DeliveryFilter): Promise<readonly DeliveryInfo[]>;
  /** Removes the waiting deliveries of a message (only `handler`'s, if given); running ones are left to their holder. Answers how many. */
  cancel(id: string, handler?: string): Promise<number>;
  /** Calls `wake` when a claim may find something new: after a publish, a release or a replay, here or in any other process; with the handlers it is for, or without where that is not known. The returned function ends it. */
  onWake(wake: (handlers?: Iterable<string>) => void): () => void;
}

/** A subscription and its backlog. */
export interface SubscriptionInfo extends Subscription {
  readonly ready: number;
  /** Not due yet, or behind another of its key. */
  readonly waiting: number;
  readonly running: number;
  readonly dead: number;
  /** When the oldest ready delivery was published. */
  readonly oldest: number | undefined;
}

/** A delivery as operators see it. */
export interface DeliveryInfo {
  readonly id: string;
  readonly handler: string;
  readonly event: string;
  readonly state: "ready" | "waiting" | "running";
  readonly payload: string;
  readonly headers: string | undefined;
  readonly attempt: number;
  readonly priority: number;
  readonly key: string | undefined;
  readonly publishedAt: number;
  readonly due: number;
  readonly expires: number | undefined;
  /** The instance that runs it. */
  readonly holder: string | undefined;
  readonly steps: string | undefined;
  readonly errors: string | undefined;
}

/** Which deliveries. */
export interface DeliveryFilter {
  readonly handler?: string | undefined;
  readonly event?: string | undefined;
  readonly state?: DeliveryInfo["state"] | undefined;
  /** @default 100 */
  readonly limit?: number | undefined;
}

/** A delivery that failed for good. */
export interface DeadLetter {
  readonly id: string;
  /** Empty for an unrouted message. */
  readonly handler: string;
  readonly event: string;
  readonly payload: string;
  readonly headers: string | undefined;
  readonly attempt: number;
  readonly priority: number;
  readonly key: string | undefined;
  readonly publishedAt: number;
  readonly diedAt: number;
  readonly reason: DeadReason;
  readonly steps: string | undefined;
  /** JSON of an array of {@link AttemptError}: all attempts, also those before a replay. */
  readonly errors: string | undefined;
}

/** Which dead letters. */
export interface DeadLetterFilter {
  readonly id?: string | undefined;
  readonly handler?: string | undefined;
  readonly event?: string | undefined;
  readonly reason?: DeadReason | undefined;
  /** The oldest so many, also when they are replayed or discarded; Infinity for all. @default 100 */
  readonly limit?: number | undefined;
}

/** What failed for good. */
export interface DeadLetters {
  /** Dead letters, oldest first. */
  list(filter: DeadLetterFilter): Promise<readonly DeadLetter[]>;
  /** How many there are, without `limit`. */
  count(filter: DeadLetterFilter): Promise<number>;
  /** Makes them ready again with id, history and finished steps kept and attempts counted anew; an unrouted one goes to whoever is subscribed now, or stays. Answers how many. */
  replay(filter: DeadLetterFilter): Promise<number>;
  /** Removes them; answers how many. */
  discard(filter: DeadLetterFilter): Promise<number>;
}

/** Limits that all replicas share. */
export interface Limits {
  /** Counts one use of `key` if fewer than `limit` were counted in the last `window` ms; atomic, and a refused use is not counted. */
  take(key: string, limit: number, window: number): Promise<Taken>;
  /** Gives back the latest use of `key` that was counted. */
  giveBack(key: string): Promise<void>;
  /** Counts one hit of `key` and answers true, forgetting them all, when it was the `count`th within `window` ms. */
  hit(key: string, count: number, window: number): Promise<boolean>;
}

/** Whether a use was counted. */
export interface Taken {
  readonly ok: boolean;
  /** Milliseconds until the next use may be counted; 0 when this one was. */
  readonly retryAfter: number;
}

/** Small durable facts: where a follower stopped, what a plugin remembers. Values are text. */
export interface State {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  /** Sets only if the value still is `expected` (undefined: not there); false otherwise. */
  swap(key: string, expected: string | undefined, value: string): Promise<boolean>;
  delete(key: string): Promise<void>;
  /** All keys that start so, with their values, in order. */
  list(prefix: string): Promise<readonly (readonly [key: string, value: string])[]>;
}

/** An instance as the others see it. */
export interface Instance extends InstanceInfo {
  readonly lastSeen: number;
  readonly running: number;
}

/** Who is alive. */
export interface Presence {
  /** Renews this instance's lease on all it holds; false when it had been given up as dead, and everything it held was lost (it is registered anew). */
  beat(): Promise<boolean>;
  /** Gives back what dead instances held, so that it is claimed again; answers how many deliveries. Never takes from an instance that is alive. */
  sweep(): Promise<number>;
  instances(): Promise<readonly Instance[]>;
}

/** Words from replica to replica, for those that listen right now: at most once, nothing is stored for the absent. */
export interface Signals {
  send(channel: string, body: string): Promise<void>;
  /** The returned function ends it. */
  listen(channel: string, hear: (body: string) => void): () => void;
}
