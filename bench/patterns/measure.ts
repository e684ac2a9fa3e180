/* How many log lines a second are matched with many patterns at once, what it costs to take patterns in, and what a text made to hang a pattern does. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { createApp, createRegistry } from "../../dist/index.js";
import { IndexedMatcher } from "../../src/patterns/indexed-matcher.ts";
import { type Contest, median, nanoseconds } from "../measure/contest.ts";
import { atMost, type Figures, type Goal, type MeasureOptions, type Row, rowOf } from "../measure/row.ts";
import { handlersOf } from "./first-pass.ts";
import { literals, onePass } from "./limit.ts";
import { lines, patterns, withoutLiteral } from "./log-lines.ts";
import { attackPeers, type Count, patternPeers } from "./peers.ts";

/** How many patterns, what is to be reached, and what the limit was on the machine on which that was set; lines a second. */
const SIZES = [
  [10, 1.8e6, 2.4e6],
  [100, 1.5e6, 2.4e6],
  [1_000, 0.8e6, 2.4e6],
  [10_000, 1.0e6, 1.3e6],
] as const;
const ATTACK = `${"a".repeat(100_000)}!`;

export async function measure(options: MeasureOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [count, rate, limitWas] of SIZES) {
    const figures = rates(await nanoseconds(await contest(count, patterns(count), options), options));
    rows.push(
      rowOf(`${count.toLocaleString("en")} patterns, lines`, "/s", figures, atLeastScaled(rate, limitWas)),
    );
  }
  const mixed = [...patterns(1_000), ...withoutLiteral()];
  rows.push(
    rowOf(
      "1,000 and 10 without a literal, lines",
      "/s",
      rates(await nanoseconds(await contest(1_000, mixed, options), options)),
    ),
  );
  rows.push(
    rowOf(
      "1,000 patterns, app.match awaited, lines",
      "/s",
      rates(await nanoseconds(await throughApp(1_000), options)),
    ),
  );
  return [...rows, ...atFirst(options), await attack(options)];
}

async function contest(count: number, all: readonly RegExp[], options: MeasureOptions): Promise<Contest> {
  const written = lines(count);
  const matcher = new IndexedMatcher();
  for (const handler of handlersOf(all)) matcher.add(handler);
  const ours: Count = (line) => matcher.match("content", line).length;
  const found = written.reduce((sum, line) => sum + ours(line), 0);
  if (found < written.length / 100) throw new Error(`Ours finds ${found} of ${written.length / 100}.`);
  const peers = Object.entries(await patternPeers(all, options));
  return {
    ours: over(written, ours),
    limit: over(written, onePass(literals(count))),
    peers: Object.fromEntries(peers.map(([name, peer]) => [name, over(written, peer)])),
  };
}

/** The whole app: a promise for each line. */
async function throughApp(count: number): Promise<Contest> {
  const registry = createRegistry();
  for (const [n, pattern] of patterns(count).entries())
    registry.reOn(`handler-${n}`, "content", pattern).execute(() => n);
  const app = createApp({ registry, engine: "memory:", log: "silent", env: {} });
  await app.start();
  const written = lines(count);
  return {
    ours: async (times) => {
      let sum = 0;
      for (let n = 0; n < times; n++) sum += (await app.match(written[n % written.length] as string)).length; // the rest is an index
      return sum;
    },
    limit: over(written, onePass(literals(count))),
    peers: {},
  };
}

function over(written: readonly string[], count: Count) {
  return (times: number): number => {
    let sum = 0;
    for (let n = 0; n < times; n++) sum += count(written[n % written.length] as string); // the rest is an index
    return sum;
  };
}

/** What a fresh process does with 10,000 patterns. */
function atFirst({ quick }: MeasureOptions): Row[] {
  const program = join(import.meta.dirname, "first-pass.ts");
  const runs = Array.from({ length: quick ? 3 : 7 }, () => {
    const printed = execFileSync(process.execPath, [program, "10000"], { encoding: "utf8" });
    return JSON.parse(printed) as { ms: number; mb: number; rate: number }; // what it prints
  });
  const of = (key: "ms" | "mb" | "rate"): Figures => ({
    ours: median(runs.map((run) => run[key])),
    peers: {},
    limit: undefined,
  });
  return [
    rowOf("taking 10,000 patterns in", "ms", of("ms"), atMost(150, "ms")),
    rowOf("what 10,000 patterns hold", "MB", of("mb"), atMost(40, "MB")),
    rowOf("the first 2,000 lines with 10,000 patterns", "/s", of("rate"), {
      text: "≥ 80k/s",
      met: ({ ours }) => ours >= 80_000,
    }),
  ];
}

/** How long `^(a+)+$` takes on 100,000 times "a" and a "!". V8 alone would not come back. */
async function attack(options: MeasureOptions): Promise<Row> {
  const matcher = new IndexedMatcher();
  for (const handler of handlersOf([/^(a+)+$/])) matcher.add(handler);
  const ours = sampled(() => matcher.match("content", ATTACK));
  const peers = Object.entries(await attackPeers(options));
  const figures = {
    ours,
    peers: Object.fromEntries(peers.map(([name, test]) => [name, sampled(() => test(ATTACK))])),
    limit: undefined,
  };
  return rowOf("^(a+)+$ on 100 kB made for it", "ms", figures, atMost(15, "ms"));
}

/** Milliseconds, when it is warm. */
function sampled(run: () => unknown): number {
  const samples = Array.from({ length: 40 }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return median(samples.slice(20));
}

function rates({ ours, peers, limit }: Figures): Figures {
  const rate = (ns: number): number => 1e9 / ns;
  return {
    ours: rate(ours),
    peers: Object.fromEntries(Object.entries(peers).map(([name, ns]) => [name, rate(ns)])),
    limit: limit && rate(limit),
  };
}

/** At least `value` where the limit was `limitWas`, here in the same ratio, and ahead of all peers. */
function atLeastScaled(value: number, limitWas: number): Goal {
  const ratio = value / limitWas;
  return {
    text: `≥ ${ratio.toPrecision(2)} × limit (${value / 1e6}M/s), ahead of peers`,
    met: ({ ours, limit, peers }) =>
      ours >= ratio * (limit ?? Number.NaN) && Object.values(peers).every((peer) => ours > peer),
  };
}
