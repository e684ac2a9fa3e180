/** How a worker is set up. */
export interface Setup {
  /** The data file. */
  readonly path: string;
  /** Another engine than the one on that file; then the path only says where the process runs. */
  readonly engine?: string;
  /** In milliseconds. @default 30000 */
  readonly lease?: number;
  /** How often a message is tried. @default 5 */
  readonly attempts?: number;
  /** Of the handler, in milliseconds. @default none */
  readonly timeout?: number;
  /** @default 100 */
  readonly concurrency?: number;
  /** In milliseconds. @default 30000 */
  readonly shutdownTimeout?: number;
  /** The system tells it nothing of changes of the file. */
  readonly deaf?: boolean;
  /** It only publishes. */
  readonly idle?: boolean;
}

/** What a message asks the handler to do; nothing: to end at once. */
export interface Task {
  readonly n: number;
  readonly ask?:
    | "wait" // until the order `release`, or until it is aborted
    | "hang" // for ever, whatever its signal says
    | "block" // holds up the event loop for `ms` in its first attempt, and waits in the others
    | "last" // ends after `ms`, with the event loop free
    | "abort" // ends its process
    | "fail"; // in the first `times` attempts
  readonly ms?: number;
  readonly times?: number;
}

/** What a worker can be told, a line of JSON each. */
export type Order =
  | { readonly do: "publish"; readonly tasks: readonly Task[]; readonly options?: PublishedWith }
  | { readonly do: "release" }
  | { readonly do: "sweep" }
  /** To tell of how many runs the lease was lost, and how many were given up. */
  | { readonly do: "count" }
  | { readonly do: "stop" };

export interface PublishedWith {
  readonly key?: string;
  readonly dedupe?: string;
  readonly delay?: number;
}

/** How a ticker is set up. */
export interface TickerSetup extends Setup {
  /** Of its task, in milliseconds. */
  readonly every: number;
}

/** Where a ticker can be told to end itself, the next time it comes there. */
export type Grave = "after fire" | "after claim" | "in the handler";

/** What a ticker can be told. */
export type TickerOrder =
  | { readonly do: "die"; readonly at: Grave }
  /** To hold up its event loop. */
  | { readonly do: "block"; readonly ms: number }
  | { readonly do: "stop" };

/** How a hand is set up. */
export interface HandSetup extends Setup {
  /** How far its own clock is ahead, in milliseconds. @default 0 */
  readonly skew?: number;
}

/** Limits that a hand can be told to use. */
export type Limit = "cooldown" | "rate limit" | "sliding window" | "threshold";

/** What a hand can be told. */
export type HandOrder =
  /** To use a limit so often; it tells how often it was let. */
  | { readonly do: "use"; readonly limit: Limit; readonly times: number }
  /** To end itself in the next job that it begins. */
  | { readonly do: "die" }
  /** To publish so many jobs, numbered from one on; each has one of so many keys, if there are any. */
  | { readonly do: "publish"; readonly from: number; readonly jobs: number; readonly keys?: number };
