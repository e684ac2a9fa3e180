import type { Cell, Run } from "./literals.ts";

/**
 * Which part of a run the scan looks for, and how.
 *
 * - `strided`: seven chars; the text is read in steps of four, and one of the window's four beginnings falls on a step.
 * - `quad`: four chars, looked for everywhere.
 * - `pair`: two chars, or one with any other behind it.
 */
export interface Window {
  readonly kind: "strided" | "quad" | "pair" | "none";
  /** Where in the run it begins. */
  readonly start: number;
  /** About how often it is met, wrongly or not, in a char of text. */
  readonly cost: number;
}

/** Corrects a guess of how often a key is met by what is known: of the texts there were, of the patterns that have it already. */
export type Experience = (kind: "strided" | "quad" | "pair", key: number, guess: number) => number;

/** A window that stands for more than so many keys is no good. */
const MOST_KEYS = 256;
/** Looking everywhere costs a text about as much as this many needless meetings for each of its chars. */
const EVERYWHERE = 0.004;
/** What is met in most lines need not be looked for. */
const MOST_COST = 0.008;

const NONE: Window = { kind: "none", start: 0, cost: Infinity };

/**
 * How often folded bytes occur in logs, in a hundred thousand; counted in 16,000 lines of eight systems (LogHub). All others: 10.
 */
const COUNTED =
  "  9480 e 6140 0 5100 1 4590 o 4240 r 3940 a 3800 t 3440 n 3250 c 3230 s 3170 . 3110 2 3060 : 2980 i 2760 d 2680 5 2400 " +
  "4 2340 - 2220 3 2110 u 1720 9 1700 7 1690 m 1630 8 1570 l 1550 6 1530 p 1480 h 1400 b 1310 f 1240 g 820 { 780 } 780 " +
  'v 780 k 750 / 700 w 590 y 540 x 520 \x7f 510 , 430 = 430 ( 280 ) 280 j 210 q 210 ` 120 z 110 " 90 ; 60 $ 60 * 40 < 20';
const frequency = frequencies();
/** One letter in so many is a capital. */
const CAPITALS = 0.12;
/** Digits stand beside digits. */
const AFTER_DIGIT = 2.5;

/** What each four chars of the run in hand cost; no run is longer. */
const grams = new Float64Array(256);

/** Finds the window of a run that costs least; `kind` is `none` when all of them are met too often. */
export function chooseWindow(run: Run, experience?: Experience): Window {
  const { length } = run;
  let kind: Window["kind"] = "none";
  let at = 0;
  let least = MOST_COST;
  for (let start = 0; start + 4 <= length; start++)
    grams[start] = costOf(run, start, 4, "strided", experience);
  for (let start = 0; start + 7 <= length; start++) {
    const cost = sumOfFour(grams, start) / 4;
    if (cost < least) [kind, at, least] = ["strided", start, cost];
  }
  // Of short literals, and of long ones with classes in them.
  if (least <= EVERYWHERE) return { kind, start: at, cost: least };
  if (kind === "none") least += EVERYWHERE;
  for (let start = 0; start < length; start++) {
    const size = start + 4 <= length ? 4 : Math.min(2, length - start);
    const cost = EVERYWHERE + costOf(run, start, size, size === 4 ? "quad" : "pair", experience);
    if (cost < least) [kind, at, least] = [size === 4 ? "quad" : "pair", start, cost];
  }
  return kind === "none" ? NONE : { kind, start: at, cost: least };
}

/** All keys of the `size` chars from `start` on: the first char in the lowest byte. */
export function keysOf(run: Run, start: number, size: number): number[] {
  let keys: number[] | undefined;
  let key = 0;
  for (let at = 0; at < size; at++) {
    const cell = run[start + at] ?? ANY;
    const shift = at * 8;
    if (typeof cell !== "number")
      keys = (keys ?? [key]).flatMap((one) => cell.map((byte) => one | (byte << shift)));
    else if (keys) keys = keys.map((one) => one | (cell << shift));
    else key |= cell << shift;
  }
  return keys ?? [key];
}

/** All bytes that folding leaves. */
const ANY: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte & 0x20);

function sumOfFour(costs: Float64Array, start: number): number {
  let sum = 0;
  for (let at = start; at < start + 4; at++) sum += costs[at] as number; // the caller looked
  return sum;
}

function costOf(
  run: Run,
  start: number,
  size: number,
  kind: "strided" | "quad" | "pair",
  experience: Experience | undefined,
): number {
  let cost = 1;
  let keys = 1;
  let key = 0;
  let afterDigit = false;
  for (let at = 0; at < size; at++) {
    const cell = run[start + at] as Cell; // the window is within the run
    const one = typeof cell === "number" ? cell : (cell[0] as number); // a class is never empty
    if (typeof cell !== "number") keys *= cell.length;
    const isDigit = one >= 48 && one <= 57;
    const share = typeof cell === "number" ? (frequency[cell] as number) : shareOf(cell);
    cost *= isDigit && afterDigit ? share * AFTER_DIGIT : share;
    key |= one << (at * 8);
    afterDigit = isDigit;
  }
  if (keys > MOST_KEYS || (keys > 2 && size === 1)) return Infinity;
  return experience && keys === 1 && size > 1 ? experience(kind, key, cost) : cost;
}

function shareOf(cell: readonly number[]): number {
  return cell.reduce((sum, byte) => sum + (frequency[byte] as number), 0);
}

/** About how large a part of the chars of logs an ASCII char is. */
export function frequencyOf(code: number): number {
  const folded = frequency[code | 0x20] as number; // a byte
  // Letters are mostly small; of other pairs that fold to one byte, the one with the bit is the frequent one, but for "_".
  if (code >= 65 && code <= 90) return folded * CAPITALS;
  return (code & 0x20) !== 0 || code === 95 ? folded : 10 / 100_000;
}

function frequencies(): Float64Array {
  const shares = new Float64Array(256).fill(10 / 100_000);
  for (const [, char = "", count] of COUNTED.matchAll(/(.) (\d+) ?/gs))
    shares[char.charCodeAt(0)] = Number(count) / 100_000;
  return shares;
}
