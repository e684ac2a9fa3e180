/* Delivery on one Redis server: what the whole app reaches, beside a bare stream and the peer. */
import { peersOf } from "../measure/peers.ts";
import { atMost, type Goal, type MeasureOptions, ofLimit, type Row } from "../measure/row.ts";
import { ROWS } from "../delivery/figure.ts";
import { type Contestant, rowsOf } from "../delivery/rounds.ts";
import { measure as app } from "./app.ts";
import { ready as bullmq } from "./bullmq.ts";
import { MORE_ROWS } from "./figure.ts";
import { measure as limit } from "./limit.ts";
import { measure as rateLimit } from "./rate-limit.ts";

const GOALS: Readonly<Record<string, Goal>> = {
  [ROWS.oneByOne]: ofLimit(0.7),
  [ROWS.inFlight]: ofLimit(0.8),
  [ROWS.all]: { text: "≥ 150,000 /s", met: ({ ours }) => ours >= 150_000 },
  [ROWS.drain1]: ofLimit(0.65),
  [MORE_ROWS.drain10]: ofLimit(0.5),
  [ROWS.drain100]: ofLimit(0.5),
  [ROWS.together]: ofLimit(0.55),
  [ROWS.p50]: atMost(1, "ms"),
  [ROWS.p99]: atMost(2.5, "ms"),
};

export async function measure(options: MeasureOptions): Promise<Row[]> {
  const peers = await peersOf<Contestant>({ bullmq }, options);
  return [...(await rowsOf({ limit, app, peers }, GOALS, options)), ...(await rateLimit(options))];
}
