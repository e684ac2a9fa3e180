import type { CharSet } from "./char-set.ts";
import type { Program, Step } from "./program.ts";

/** The operations of a packed program. `other` is done by the step itself. */
export const OP = {
  match: 0,
  char: 1,
  split: 2,
  jump: 3,
  keep: 4,
  forget: 5,
  moved: 6,
  once: 7,
  look: 8,
  span: 9,
  other: 10,
} as const;

/** A program as numbers: of each step four, the operation and what it is done with. */
export interface Packed {
  readonly code: Int32Array;
  readonly sets: readonly CharSet[];
  /** Of each set 256 bytes: 1 for the chars that belong to it. */
  readonly latin1: Uint8Array;
}

/** Writes a program as numbers. */
export function pack({ steps, unicode }: Program): Packed {
  const sets: CharSet[] = [];
  const numbers = new Map<CharSet, number>();
  const numberOf = (set: CharSet): number => {
    if (!numbers.has(set)) numbers.set(set, sets.push(set) - 1);
    return numbers.get(set) as number; // it was put there
  };
  const code = new Int32Array(steps.length * 4);
  for (const [at, step] of steps.entries()) code.set(packStep(step, unicode, numberOf), at * 4);
  const latin1 = new Uint8Array(sets.length * 256);
  for (const [number, set] of sets.entries()) {
    for (let char = 0; char < 256; char++) latin1[number * 256 + char] = set.has(char) ? 1 : 0;
  }
  return { code, sets, latin1 };
}

function packStep(step: Step, unicode: boolean, numberOf: (set: CharSet) => number): readonly number[] {
  switch (step.op) {
    case "match":
      return [OP.match];
    case "char":
      return step.behind || unicode ? [OP.other] : [OP.char, numberOf(step.set)];
    case "span":
      return [unicode ? OP.other : OP.span, numberOf(step.set), step.place];
    case "split":
      return [OP.split, step.first, step.second];
    case "jump":
      return [OP.jump, step.to];
    case "keep":
      return [OP.keep, step.slot];
    case "forget":
      return [OP.forget, step.from * 2, step.to * 2];
    case "moved":
      return [OP.moved, step.slot];
    case "once":
      return [OP.once, step.place, step.loops.length];
    case "look":
      return [OP.look, step.next];
    case "assert":
      return [OP.other];
  }
}
