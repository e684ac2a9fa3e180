/* Delivery on one SQLite file: what the whole app reaches, and our engine alone, beside a bare table and the peer. */
import { median } from "../measure/contest.ts";
import { peersOf } from "../measure/peers.ts";
import {
  atMost,
  type Figures,
  type Goal,
  type MeasureOptions,
  ofLimit,
  type Row,
  rowOf,
} from "../measure/row.ts";
import { measure as app } from "./app.ts";
import { COUNTS, type Figure, ROWS } from "./figure.ts";
import { measure as limit } from "./limit.ts";
import { measure as engine } from "./ours.ts";

type Contestant = () => Promise<Figure[]>;

const GOALS: Readonly<Record<string, Goal>> = {
  [ROWS.oneByOne]: ofLimit(0.8),
  [ROWS.inFlight]: ofLimit(0.55),
  [ROWS.all]: ofLimit(0.75),
  [ROWS.drain1]: ofLimit(0.65),
  [ROWS.drain100]: ofLimit(0.55),
  [ROWS.together]: ofLimit(0.5),
  [ROWS.p50]: atMost(1, "ms"),
  [ROWS.p99]: atMost(3, "ms"),
};

export async function measure(options: MeasureOptions): Promise<Row[]> {
  if (options.quick) for (const key of Object.keys(COUNTS) as (keyof typeof COUNTS)[]) COUNTS[key] /= 5;
  const peers = await peersOf({ plainjob }, options);
  const contestants: Record<string, Contestant> = { limit, engine, app, ...peers };
  const figures = await inRounds(contestants, options.quick ? 1 : 3);
  const rows: Row[] = [];
  for (const [row, { unit }] of figures) {
    const of = (name: string): number => median(figures.get(row)?.values[name] ?? []);
    const others = { peers: mapped(peers, of), limit: of("limit") };
    rows.push(rowOf(row, unit, { ours: of("app"), ...others }, GOALS[row]));
    rows.push(rowOf(`${row}; engine alone`, unit, { ours: of("engine"), ...others }));
  }
  return rows;
}

interface Samples {
  readonly unit: Figure["unit"];
  /** What each contestant reached in each round. */
  readonly values: Record<string, number[]>;
}

/** All in turn, several times: rates move from minute to minute. */
async function inRounds(
  contestants: Readonly<Record<string, Contestant>>,
  rounds: number,
): Promise<Map<string, Samples>> {
  const samples = new Map<string, Samples>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, contestant] of Object.entries(contestants)) {
      for (const { row, unit, value } of await contestant()) {
        const of = samples.get(row) ?? { unit, values: {} };
        samples.set(row, of);
        (of.values[name] ??= []).push(value);
      }
    }
  }
  return samples;
}

function mapped(peers: Readonly<Record<string, Contestant>>, of: (name: string) => number): Figures["peers"] {
  return Object.fromEntries(Object.keys(peers).map((name) => [name, of(name)]));
}

async function plainjob(): Promise<Contestant> {
  const { loadable, measure: peer } = await import("./plainjob.ts");
  loadable();
  return peer;
}
