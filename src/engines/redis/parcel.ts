import type { NewMessage, Published } from "../../engine.ts";
import { priorityText, tailOf } from "./record.ts";

/** What must hold in the root for messages to be stored, and is changed in the same step. */
export type Condition =
  /** A task's tick is to be fired by one alone: see Schedules.fire. */
  | {
      readonly kind: "fire";
      readonly task: string;
      readonly hash: string;
      readonly tick: number;
      readonly next: number | undefined;
    }
  /** A dead letter that nobody got is taken from the box. */
  | { readonly kind: "revive"; readonly number: string };

/** A message, written down. */
export interface Parcel {
  readonly event: string;
  readonly to: string | undefined;
  readonly priority: string;
  /** The record behind its number. */
  readonly tail: string;
  /** Not to be claimed before; 0 for at once. */
  readonly due: number;
  /** Whether it needs to be looked at by itself: it has a key, waits, or is deduplicated. */
  readonly special: boolean;
  readonly dedupe: NewMessage["dedupe"];
}

/** The messages of one call, which are stored together, and who waits for it. */
export interface Job {
  readonly parcels: readonly Parcel[];
  readonly condition: Condition | undefined;
  /** Answered with undefined when the condition did not hold. */
  readonly resolve: (published: Published[] | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export function parcelOf(message: NewMessage, now: number): Parcel {
  const { event, to, priority, due, key, dedupe } = message;
  const late = due > now;
  return {
    event,
    to,
    priority: priorityText(priority),
    tail: tailOf(message, now),
    due: late ? due : 0,
    special: late || key !== undefined || dedupe !== undefined,
    dedupe,
  };
}
