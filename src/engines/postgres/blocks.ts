/** Numbers of deliveries are given in blocks, so that a publish of a thousand asks for four, and not for a thousand. */
export const BLOCK = 256;

/** In a script: the number of the delivery at a place, counted from 1, of a publish that has the blocks `v_blocks`. */
export const numberAt = (place: string): string =>
  `(v_blocks[(${place} - 1) / ${BLOCK} + 1] + (${place} - 1) % ${BLOCK})`;

/** The same here. @param blocks The first number of each. */
export function seqAt(blocks: readonly number[], place: number): number {
  return (blocks[Math.floor((place - 1) / BLOCK)] ?? Number.NaN) + ((place - 1) % BLOCK);
}

/** How many blocks so many deliveries need. */
export function blocksOf(count: number): number {
  return Math.ceil(count / BLOCK);
}
