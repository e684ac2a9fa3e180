import type { Clock } from "../../clock.ts";

/** How far two readings of the same clock can lie apart, in milliseconds. */
const SAME_CLOCK_MS = 1;

/**
 * Milliseconds since the machine started, the same for all its processes: leases go by it, so that setting the
 * machine's clock, or waking it from sleep, takes nobody's work away.
 *
 * A clock that a test moves by hand is taken as it is, and all engines of that test share it.
 */
export function uptimeOf(clock: Clock): () => number {
  const isReal = Math.abs(clock.elapsed() - performance.now()) < SAME_CLOCK_MS;
  if (!isReal) return () => clock.elapsed();
  const offset = Number(process.hrtime.bigint() / 1_000n) / 1_000 - clock.elapsed();
  return () => offset + clock.elapsed();
}
