/** How many letters two words may differ in, at the most, to be taken for each other: a third of the word. */
const TOLERANCE = 3;

/** What has at least so many letters may be the beginning of a word. */
const BEGINNING = 3;

/**
 * The candidates that look like what was written, the closest first, and behind them those that begin with it; for "did
 * you mean".
 * @param most How many at the most. @default 3
 */
export function alike(written: string, candidates: Iterable<string>, most = 3): string[] {
  const word = written.toLowerCase().slice(0, 64);
  const limit = Math.max(1, Math.floor(word.length / TOLERANCE));
  const found: { candidate: string; distance: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const lower = candidate.toLowerCase();
    const near = Math.abs(lower.length - word.length) <= limit;
    const distance = near ? editDistance(word, lower) : Infinity;
    if (distance <= limit) found.push({ candidate, distance });
    else if (word.length >= BEGINNING && lower.startsWith(word))
      found.push({ candidate, distance: lower.length });
  }
  return found
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** The number of letters to insert, remove, replace or swap with a neighbour (optimal string alignment distance). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(
        (above[column] ?? 0) + 1,
        (line[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, (before[column - 2] ?? 0) + 1);
      line.push(least);
    }
    before = above;
    above = line;
  }
  return above[b.length] ?? 0;
}
