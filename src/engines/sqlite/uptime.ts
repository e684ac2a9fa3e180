import { type Clock, systemClock } from "../../clock.ts";

/**
 * Milliseconds since the machine started, the same for all its processes: leases go by it, so that setting the
 * machine's clock, or waking it from sleep, takes nobody's work away.
 *
 * A clock that a test moves by hand is taken as it is, and all engines of that test share it.
 */
export function uptimeOf(clock: Clock): () => number {
  if (clock.elapsed !== systemClock.elapsed) return () => clock.elapsed();
  const offset = Number(process.hrtime.bigint() / 1_000n) / 1_000 - clock.elapsed();
  return () => offset + clock.elapsed();
}
