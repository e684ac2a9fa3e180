/** Chars by those they are equal to when case does not count; made when a pattern first needs it. */
let orbits: Map<number, readonly number[]> | undefined;

/**
 * Every UTF-16 unit that may equal `code` when case does not count: at least those, and `code` itself.
 *
 * @param unicode Whether the fold is that of the flags `u` and `v`, in which `k` equals the Kelvin sign and `s` the long s.
 */
export function caseVariants(code: number, unicode: boolean): readonly number[] {
  if (code < 128) {
    const lower = code | 0x20;
    if (lower < 97 || lower > 122) return [code];
    const pair = [lower, lower - 32];
    if (unicode && lower === 107) pair.push(0x212a);
    if (unicode && lower === 115) pair.push(0x17f);
    return pair;
  }
  const found = (orbits ??= findOrbits()).get(code) ?? [code];
  // Without `u` nothing beyond ASCII equals what is in it.
  return unicode ? found : found.filter((variant) => variant >= 128);
}

/** Joins each unit with its upper and lower case: a superset of ECMAScript's Canonicalize, which needs no tables of ours. */
function findOrbits(): Map<number, readonly number[]> {
  const found = new Map<number, number[]>();
  for (let code = 0; code < 0x10000; code++) {
    const char = String.fromCharCode(code);
    for (const other of [char.toLowerCase(), char.toUpperCase()]) {
      if (other === char) continue;
      // Canonicalize leaves out what becomes longer; the first unit is then one neighbour too many, and does no harm.
      join(found, code, other.charCodeAt(0));
    }
  }
  return found;
}

function join(found: Map<number, number[]>, a: number, b: number): void {
  const ofA = found.get(a) ?? [a];
  const ofB = found.get(b) ?? [b];
  const all = ofA === ofB ? ofA : [...ofA, ...ofB.filter((code) => !ofA.includes(code))];
  for (const code of all) found.set(code, all);
}
