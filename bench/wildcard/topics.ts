const NAMES = 64;

/** So many subscriptions: one in four by its whole name, the others with stars in the middle or at the end. */
export function topics(count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const area = `area${n}`;
    return [`${area}.order.paid`, `${area}.order.*`, `${area}.*.paid`, `${area}.**`][n % 4] as string; // 0 to 3
  });
}

/** Names of events, each of which one of the subscriptions matches; asked for one after the other. */
export function names(count: number): string[] {
  return Array.from({ length: NAMES }, (_, n) => `area${Math.floor((n * count) / NAMES)}.order.paid`);
}
