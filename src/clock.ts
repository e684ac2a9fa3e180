/** A timer that was set on a {@link Clock}. */
export interface Timer {
  /** Takes the timer back; harmless when it has fired. */
  cancel(): void;
}

/**
 * Where the framework gets its time from: the system's clock, or the testing kit's virtual one.
 * Everything that waits takes a clock, so that a test can move time instead of sleeping.
 */
export interface Clock {
  /** Milliseconds since 1970. May jump when somebody sets the machine's clock. */
  now(): number;
  /** Milliseconds from an arbitrary start, for measuring; never jumps back. */
  elapsed(): number;
  /**
   * Calls `run` once, `ms` milliseconds from now.
   * @param keepAlive Whether the timer alone keeps the process running; default false.
   */
  setTimer(run: () => void, ms: number, keepAlive?: boolean): Timer;
}

/** setTimeout fires at once for anything above this, so longer waits are cut into pieces. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  setTimer(run, ms, keepAlive = false) {
    let handle: NodeJS.Timeout;
    const wait = (left: number): void => {
      handle = setTimeout(
        () => (left > LONGEST_TIMEOUT ? wait(left - LONGEST_TIMEOUT) : run()),
        Math.min(Math.max(0, left), LONGEST_TIMEOUT),
      );
      if (!keepAlive) handle.unref();
    };
    wait(ms);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Resolves after `ms` on the clock; rejects with the signal's reason as soon as it aborts. */
export function delay(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(
      () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      },
      ms,
      true,
    );
    signal?.addEventListener("abort", abort, { once: true });
  });
}
