/* The limit: one pass over the text for all literals, with nothing verified. A state machine over the kinds of chars (Aho and Corasick, 1975). */

/** The literals of `patterns(count)`. */
export function literals(count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const id = n * 7 + 1_000;
    return [
      `user-${id} failed with code `,
      ` service${id}: `,
      `job[${id}] took `,
      ` node-${id}.example.com `,
      `timeout of ${id} ms `,
    ][n % 5] as string; // 0 to 4
  });
}

/** Answers how many of the literals end in a text. */
export function onePass(words: readonly string[]): (text: string) => number {
  const kinds = new Uint8Array(65_536);
  let count = 1;
  for (const word of words)
    for (const char of word) if (kinds[char.charCodeAt(0)] === 0) kinds[char.charCodeAt(0)] = count++;
  const width = 2 ** Math.ceil(Math.log2(count));
  const size = words.reduce((sum, word) => sum + word.length, 1);
  const next = new Int32Array(size * width);
  const ends = new Uint8Array(size);
  let states = 1;
  for (const word of words) {
    let state = 0;
    for (const char of word) {
      const edge = state * width + (kinds[char.charCodeAt(0)] as number); // within
      if (next[edge] === 0) next[edge] = states++;
      state = next[edge] as number;
    }
    ends[state] = 1;
  }
  completeEdges(next, ends, states, width);
  return (text) => {
    let state = 0;
    let found = 0;
    for (let at = 0; at < text.length; at++) {
      state = next[state * width + (kinds[text.charCodeAt(at)] as number)] as number;
      found += ends[state] as number;
    }
    return found;
  };
}

/** Where no literal goes on, the longest end of what was read goes on with another one. */
function completeEdges(next: Int32Array, ends: Uint8Array, states: number, width: number): void {
  const failure = new Int32Array(states);
  const queue: number[] = [];
  for (let kind = 0; kind < width; kind++) if (next[kind] !== 0) queue.push(next[kind] as number);
  for (const state of queue) {
    const back = failure[state] as number;
    if (ends[back] === 1) ends[state] = 1;
    for (let kind = 0; kind < width; kind++) {
      const edge = state * width + kind;
      const other = next[back * width + kind] as number;
      if (next[edge] === 0) next[edge] = other;
      else {
        failure[next[edge] as number] = other;
        queue.push(next[edge] as number);
      }
    }
  }
}
