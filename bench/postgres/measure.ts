/* Delivery on one Postgres server: what the whole app reaches, beside a bare table and the peers. */
import { peersOf } from "../measure/peers.ts";
import { atMost, type Goal, type MeasureOptions, ofLimit, type Row } from "../measure/row.ts";
import { ROWS } from "../delivery/figure.ts";
import { type Contestant, rowsOf } from "../delivery/rounds.ts";
import { measure as app } from "./app.ts";
import { measure as limit } from "./limit.ts";
import { graphile, pgBoss } from "./peers.ts";

const GOALS: Readonly<Record<string, Goal>> = {
  [ROWS.oneByOne]: ofLimit(0.6),
  [ROWS.inFlight]: ofLimit(0.6),
  [ROWS.all]: ofLimit(0.75),
  [ROWS.drain1]: ofLimit(0.7),
  [ROWS.drain100]: ofLimit(0.6),
  [ROWS.together]: ofLimit(0.5),
  [ROWS.p50]: atMost(2.5, "ms"),
  [ROWS.p99]: atMost(6, "ms"),
};

export async function measure(options: MeasureOptions): Promise<Row[]> {
  const peers = await peersOf<Contestant>({ "pg-boss": pgBoss, "graphile-worker": graphile }, options);
  return rowsOf({ limit, app, peers }, GOALS, options);
}
