/** So many subscriptions: one in four by its whole name, the others with stars in the middle or at the end. */
export function topics(count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const area = `area${n}`;
    return [`${area}.order.paid`, `${area}.order.*`, `${area}.*.paid`, `${area}.**`][n % 4] as string; // 0 to 3
  });
}

/** Coprime to all sizes, so that a walk in such steps comes to every subscription, and never to the neighbour of the last. */
const STEP = 7_919;

/** Names of events, each of which one of `count` subscriptions matches; asked for one after the other. */
export function names(count: number, wanted: number): string[] {
  return Array.from({ length: wanted }, (_, n) => `area${(n * STEP) % count}.order.paid`);
}
