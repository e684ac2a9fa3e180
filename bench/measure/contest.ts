import type { Figures, MeasureOptions } from "./row.ts";

/** Does the work so many times, one after the other, and returns something that is made of all results. */
export type Run = (times: number) => unknown;

/** Who does the same work. */
export interface Contest {
  readonly ours: Run;
  readonly limit: Run;
  readonly peers: Readonly<Record<string, Run>>;
}

interface Contestant {
  readonly name: string;
  readonly run: Run;
  /** How often it does its work in one slice of time. */
  times: number;
  readonly samples: number[];
}

const ROUNDS = 20;
const OURS = "(ours)";
const LIMIT = "(limit)";

/**
 * How many nanoseconds the work takes: the median over many short rounds in which all take turns, so that what else
 * the machine does hits all alike. BENCH_MS in the environment says how many milliseconds each is measured.
 */
export async function nanoseconds(contest: Contest, options: MeasureOptions): Promise<Figures> {
  const slice = measuredMs(options) / ROUNDS;
  const contestants = listOf(contest);
  for (const contestant of contestants) await calibrate(contestant, slice);
  for (let round = 0; round < ROUNDS; round++) {
    // Each round begins with another one: nobody is always the first after somebody else's garbage.
    for (const at of contestants.keys()) {
      const contestant = contestants[(at + round) % contestants.length] as Contestant; // the rest is an index
      contestant.samples.push(((await timed(contestant)) * 1e6) / contestant.times);
    }
  }
  return figuresOf(contestants);
}

/** How many bytes the work allocates, on average. */
export async function allocatedBytes(contest: Contest, options: MeasureOptions): Promise<Figures> {
  const contestants = listOf(contest);
  for (const contestant of contestants) {
    await calibrate(contestant, measuredMs(options) / ROUNDS);
    contestant.times = 1_000;
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const contestant of contestants) {
      const before = process.memoryUsage().heapUsed;
      await timed(contestant);
      const grown = process.memoryUsage().heapUsed - before;
      // A collection in between makes it shrink; such a round says nothing.
      if (grown >= 0) contestant.samples.push(grown / contestant.times);
    }
  }
  return figuresOf(contestants);
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function listOf({ ours, limit, peers }: Contest): Contestant[] {
  return Object.entries({ [LIMIT]: limit, [OURS]: ours, ...peers }).map(([name, run]) => ({
    name,
    run,
    times: 1,
    samples: [],
  }));
}

function figuresOf(contestants: readonly Contestant[]): Figures {
  const medians = Object.fromEntries(contestants.map(({ name, samples }) => [name, median(samples)]));
  const { [OURS]: ours = Number.NaN, [LIMIT]: limit, ...peers } = medians;
  return { ours, limit, peers };
}

function measuredMs({ quick }: MeasureOptions): number {
  return Number(process.env["BENCH_MS"] ?? (quick ? 300 : 1_000));
}

/** Finds how often the work is done in a slice of time; the compiler is warm after it. */
async function calibrate(contestant: Contestant, slice: number): Promise<void> {
  const end = performance.now() + 5 * slice;
  for (;;) {
    const ms = await timed(contestant);
    if (ms < slice / 2) contestant.times *= 2;
    else if (performance.now() > end) return;
  }
}

/** Milliseconds for one slice. */
async function timed({ name, run, times }: Contestant): Promise<number> {
  const start = performance.now();
  const result = await run(times);
  const ms = performance.now() - start;
  // What nobody uses the compiler may leave out.
  if (result === undefined || Number.isNaN(result)) throw new Error(`The run of ${name} gave no result.`);
  return ms;
}
