import type { TaskRun } from "../engine.ts";
import type { Tick } from "../handler.ts";
import { Outcome } from "../outcome.ts";
import { statusOf } from "./runner.ts";

/** What is known of a run that is over where it ran; the rest of a {@link TaskRun} is known to those who store it. */
export type EndedRun = Omit<TaskRun, "instance" | "attempt">;

/** Longer reasons are cut: a history is read in lists. */
const LONGEST_ERROR = 300;

/** One run of a task from its start: for its history. */
export class RunRecord {
  readonly #tick: number;
  readonly #now: () => number;
  readonly #startedAt: number;

  constructor({ scheduled }: Tick, startedAt: number, now: () => number) {
    this.#tick = scheduled;
    this.#startedAt = startedAt;
    this.#now = now;
  }

  /** The handler has returned; undefined when it asked to be run again later, which is no end. */
  returned(result: unknown): EndedRun | undefined {
    if (!(result instanceof Outcome)) return this.#ended("ok");
    return result.kind === "snooze" ? undefined : this.#ended("cancelled", result.reason);
  }

  /** The handler has thrown, or its run was called off. */
  threw(error: unknown): EndedRun | undefined {
    const status = statusOf(error);
    if (status === "snoozed") return undefined;
    return this.#ended(status === "timeout" || status === "cancelled" ? status : "error", oneLine(error));
  }

  #ended(outcome: EndedRun["outcome"], error?: string): EndedRun {
    const startedAt = this.#startedAt;
    const duration = Math.max(0, Math.round(this.#now() - startedAt));
    return { tick: this.#tick, startedAt, duration, outcome, ...(error !== undefined && { error }) };
  }
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/\s+/g, " ").trim().slice(0, LONGEST_ERROR);
}
