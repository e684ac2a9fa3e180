/* Delivery on one SQLite file: what the whole app reaches, and our engine alone, beside a bare table and the peer. */
import { ROWS } from "../delivery/figure.ts";
import { type Contestant, rowsOf } from "../delivery/rounds.ts";
import { peersOf } from "../measure/peers.ts";
import { atMost, type Goal, type MeasureOptions, ofLimit, type Row } from "../measure/row.ts";
import { measure as app } from "./app.ts";
import { measure as limit } from "./limit.ts";
import { measure as engine } from "./ours.ts";

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
  const peers = await peersOf<Contestant>({ plainjob }, options);
  return rowsOf({ limit, app, engine, peers }, GOALS, options);
}

async function plainjob(): Promise<Contestant> {
  const { loadable, measure: peer } = await import("./plainjob.ts");
  loadable();
  return peer;
}
