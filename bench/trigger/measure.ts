/* What it costs to trigger an event whose handlers are async and return something: nanoseconds, and bytes. */
import { type App, createApp, createRegistry, type Middleware } from "../../dist/index.js";
import { allocatedBytes, type Contest, nanoseconds } from "../measure/contest.ts";
import { andAhead, atMost, atMostScaled, type MeasureOptions, type Row, rowOf } from "../measure/row.ts";
import { allAtOnce, directly } from "./limit.ts";
import { EVENT, handlers, LOGIN, type Login } from "./login.ts";
import { triggerPeers } from "./peers.ts";

export async function measure(options: MeasureOptions): Promise<Row[]> {
  const one: Contest = { ours: await ours(1), limit: directly(), peers: await triggerPeers(1, options) };
  const middle: Contest = { ours: await ours(1, [passing]), limit: one.limit, peers: {} };
  const ten: Contest = { ours: await ours(10), limit: allAtOnce(10), peers: await triggerPeers(10, options) };
  return [
    rowOf("1 async handler", "ns", await nanoseconds(one, options), andAhead(atMostScaled(160, "ns", 41))),
    rowOf("1 async handler, allocates", "B", await allocatedBytes(one, options), atMost(1_000, "B")),
    rowOf(
      "1 async handler, a middleware",
      "ns",
      await nanoseconds(middle, options),
      atMostScaled(350, "ns", 41),
    ),
    rowOf("10 async handlers", "ns", await nanoseconds(ten, options), atMostScaled(850, "ns", 724)),
  ];
}

const passing: Middleware = async (_ctx, next) => await next();

/** The whole app, started, with its metrics. */
async function ours(count: number, use: readonly Middleware[] = []) {
  const registry = createRegistry();
  for (const [at, handler] of handlers(count).entries()) {
    registry.on(EVENT, { name: `handler-${at}` }).execute((login) => handler(login as Login));
  }
  const app = createApp({ registry, use, engine: "memory:", log: "silent", env: {} });
  await app.start();
  return trigger(app);
}

function trigger(app: App) {
  return async (times: number): Promise<number> => {
    let sum = 0;
    for (let n = 0; n < times; n++) sum += (await app.trigger(EVENT, LOGIN)).length;
    return sum;
  };
}
