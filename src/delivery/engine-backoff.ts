const FIRST_MS = 100;
const LAST_MS = 5_000;

/** How long to wait before a failing engine is asked again: doubled from 100 ms to 5 s. @param before The last wait; 0 for none. */
export function engineBackoff(before: number): number {
  return Math.min(Math.max(before * 2, FIRST_MS), LAST_MS);
}
