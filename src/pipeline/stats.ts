/** The upper bounds, in milliseconds, of the buckets in which durations are counted; the last bucket has no bound. */
export const BUCKETS_MS = [
  0.1, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000,
];

/** How a run ended. */
export type RunStatus = "ok" | "error" | "timeout" | "cancelled" | "limited" | "snoozed";

const NONE: readonly number[] = [...BUCKETS_MS, Infinity].map(() => 0);

/** A histogram of durations. Plain numbers: counting costs nanoseconds, and metrics are made of it when somebody asks. */
export class Histogram {
  readonly counts = NONE.slice();
  sum = 0;

  /** @param weight How many runs this one stands for. */
  observe(ms: number, weight = 1): void {
    let bucket = 0;
    while (bucket < BUCKETS_MS.length && ms > (BUCKETS_MS[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + weight;
    this.sum += ms * weight;
  }
}

/** A run shorter than this costs about as much to time as to run. */
const FAST_MS = 0.05;
/** Of fast handlers one run in so many is timed, and counts for all of them. */
const SAMPLE = 32;

/** What is counted of one handler. */
export class HandlerStats {
  ok = 0;
  error = 0;
  timeout = 0;
  cancelled = 0;
  limited = 0;
  /** Runs that asked to be run again later: `snooze`, `ctx.sleep`. */
  snoozed = 0;
  /** Attempts after the first. */
  retries = 0;
  /** Messages that went to the dead letters. */
  dead = 0;
  /** Settlements that were refused because the lease was lost. */
  lost = 0;
  /** Runs under way. */
  running = 0;
  /** Runs that were given up but have not returned: their function ignores its signal. */
  abandoned = 0;
  /** How long runs took. */
  readonly duration = new Histogram();
  /** How late runs began: from when a message was due to the start of its handler. */
  readonly lateness = new Histogram();

  #untimed = 0;
  #weight = 1;

  count(status: RunStatus): void {
    this[status]++;
  }

  /** Whether the next run is to be timed; reading the clock twice would cost more than a fast handler itself. */
  timeNext(): boolean {
    return this.#untimed === 0;
  }

  /** A run was not timed. */
  skipped(): void {
    this.#untimed--;
  }

  /** Counts how long a timed run took. */
  timed(ms: number): void {
    this.duration.observe(ms, this.#weight);
    this.#weight = ms < FAST_MS ? SAMPLE : 1;
    this.#untimed = this.#weight - 1;
  }
}
