/**
 * The only element of a list.
 *
 * @throws {Error} When there is none, or more than one.
 */
export function only<T>(list: readonly T[]): T {
  const [first, ...rest] = list;
  if (first === undefined || rest.length > 0) throw new Error(`expected one, found ${list.length}`);
  return first;
}
