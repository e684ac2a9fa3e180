import type { DeadLetter, Schedule, Subscription, TaskRun } from "./engine.ts";

/*
 * The part of the engine contract by which state moves: backup, restore, migrate. What an engine holds leaves it as
 * records that any other engine reads; ids, due moments, attempts, steps and errors stay what they were.
 */

/** A delivery as it is carried over. One that runs is carried as waiting, with its attempt counted: its holder is left behind. */
export interface StoredDelivery {
  readonly id: string;
  readonly handler: string;
  readonly event: string;
  readonly payload: string;
  readonly headers?: string | undefined;
  readonly attempt: number;
  readonly priority: number;
  readonly key?: string | undefined;
  readonly publishedAt: number;
  /** When it was to be delivered first. */
  readonly due: number;
  /** Not to be claimed before: later than `due` when it is retried or put off. */
  readonly next: number;
  readonly expires?: number | undefined;
  readonly steps?: string | undefined;
  readonly errors?: string | undefined;
}

/** The uses of a limit that still count. */
export interface StoredLimit {
  readonly key: string;
  /** Which of the two: {@link Limits.take} or {@link Limits.hit}. */
  readonly of: "take" | "hit";
  /** Moments, oldest first. */
  readonly uses: readonly number[];
  /** When the last of them is forgotten. */
  readonly until: number;
}

/** One thing that an engine holds. All texts are as the engine was given them. */
export type StoredRecord =
  | ({ readonly kind: "subscription" } & Subscription)
  /** In the order published; those of one message stand together. */
  | ({ readonly kind: "delivery" } & StoredDelivery)
  /** Oldest first. `to` is for whom an unrouted one was. */
  | ({ readonly kind: "dead_letter"; readonly due: number; readonly to?: string | undefined } & DeadLetter)
  | { readonly kind: "dedupe"; readonly key: string; readonly id: string; readonly until: number }
  /** `runs` as {@link Schedules.runs} gives them. */
  | ({ readonly kind: "schedule"; readonly runs: readonly TaskRun[] } & Schedule)
  | ({ readonly kind: "limit" } & StoredLimit)
  | { readonly kind: "state"; readonly key: string; readonly value: string };

/** Why a store is sealed. */
export interface Seal {
  /** `moving`: what it holds is being copied elsewhere. `moved`: that is elsewhere now. `filling`: something is being copied into it, and it is not whole yet. */
  readonly state: "moving" | "moved" | "filling";
  /** The other store, or the file, as it is named to people. */
  readonly other: string;
  /** Of the copying: the same in both stores of a move. */
  readonly id: string;
  /** The id of the instance that copies. */
  readonly carrier: string;
}

/** Carries over all that an engine holds; instances and signals are not carried. */
export interface Transfer {
  /** All records, in an order in which {@link load} takes them, in pieces. As of one moment, or, where the engine cannot stand still, with all that is there from the beginning to the end. Readable while sealed. */
  dump(): AsyncIterable<readonly StoredRecord[]>;
  /** Adds records, all of one call or none; deliveries and dead letters behind those that are there, with their own ids. Also while sealed. */
  load(records: readonly StoredRecord[]): Promise<void>;
  /** Whether there is nothing that {@link dump} would give. */
  isEmpty(): Promise<boolean>;
  /** Removes all that {@link dump} would give. Also while sealed. */
  clear(): Promise<void>;
  /** From now on every change by anybody is refused with `ENGINE_SEALED`, also by those who hold deliveries, until it is unsealed; heartbeats and reading go on. A new seal takes the place of the one before. */
  seal(seal: Seal): Promise<void>;
  /** How it is sealed; undefined when it is open. */
  sealed(): Promise<Seal | undefined>;
  unseal(): Promise<void>;
}
