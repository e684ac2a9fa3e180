/** One measured row of one contestant. */
export interface Figure {
  readonly row: string;
  readonly unit: "/s" | "ms";
  readonly value: number;
}

/** How much is done for each row: enough to see the rate, little enough for many rounds. */
export const COUNTS = {
  warmUp: 30_000,
  oneByOne: 10_000,
  inFlight: 50_000,
  all: 100_000,
  drain1: 10_000,
  drain100: 50_000,
};

export const ROWS = {
  oneByOne: "publish, awaited one by one",
  inFlight: "publish, 100 in flight",
  all: "publishAll of 1,000",
  drain1: "drain, concurrency 1",
  drain100: "drain, concurrency 100",
  together: "publish and consume together",
  p50: "publish to handler start at 50/s, p50",
  p99: "publish to handler start at 50/s, p99",
} as const;

/** 200 bytes of JSON. */
export const PAYLOAD = JSON.stringify({ text: "x".repeat(189) });

/** Runs something that does `count` things and gives its rate. */
export async function rate(row: string, count: number, run: () => Promise<void>): Promise<Figure> {
  const start = performance.now();
  await run();
  const value = count / ((performance.now() - start) / 1_000);
  return { row, unit: "/s", value };
}

/** Calls `publish` `count` times with `width` calls under way. */
export async function inFlight(count: number, width: number, publish: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await publish();
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** The two latency rows of what was measured in milliseconds. */
export function latencies(samples: readonly number[]): Figure[] {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return [
    { row: ROWS.p50, unit: "ms", value: at(0.5) },
    { row: ROWS.p99, unit: "ms", value: at(0.99) },
  ];
}

/** Sends 50 a second for a while; `send` is given the moment of sending. */
export async function fiftyASecond(count: number, send: (sent: number) => unknown): Promise<void> {
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, start + n * 20 - performance.now())));
    send(performance.now());
  }
}
