/** How a worker is set up. */
export interface Setup {
  /** The data file. */
  readonly path: string;
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
