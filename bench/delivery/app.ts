/* The whole app: its events checked, encoded, claimed, run through the pipeline, counted, settled, with all that is on by default. */
import { type App, createApp, createRegistry } from "../../dist/index.js";
import { COUNTS, type Figure, PAYLOAD, ROWS, fiftyASecond, inFlight, latencies, rate } from "./figure.ts";

const EVENT = "user.registered";
/** Encoded by the app, as every payload is. */
const DATA: unknown = JSON.parse(PAYLOAD);
const THOUSAND = Array.from({ length: 1_000 }, () => ({ event: EVENT, payload: DATA }));

/** Publishing one by one, together and in calls of a thousand; nothing is consumed, so that a backlog is left. */
export async function publishing(engine: string): Promise<Figure[]> {
  await using app = appOn(engine, 100, async () => {});
  await app.start({ consume: false });
  await inFlight(COUNTS.warmUp, 100, () => publish(app));
  await inFlight(COUNTS.oneByOne, 1, () => publish(app));
  return [
    await rate(ROWS.oneByOne, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 1, () => publish(app))),
    await rate(ROWS.inFlight, COUNTS.inFlight, () => inFlight(COUNTS.inFlight, 100, () => publish(app))),
    await rate(ROWS.all, COUNTS.all, async () => {
      for (let n = 0; n < COUNTS.all; n += 1_000) await app.publishAll(THOUSAND);
    }),
  ];
}

/** Of a backlog that is there. Begins to count some runs after the start, when the compiler is warm. */
export async function draining(
  engine: string,
  row: string,
  count: number,
  concurrency: number,
): Promise<Figure> {
  const { run, begun, ended } = counted(count, count / 5);
  await using app = appOn(engine, concurrency, run);
  await app.start();
  await begun;
  return await rate(row, count, () => ended);
}

/** Publishing and consuming in one process, and how long a message takes when there are few. */
export async function together(engine: string): Promise<Figure[]> {
  const samples: number[] = [];
  const sent: number[] = [];
  const warm = counted(COUNTS.warmUp);
  const { run, ended } = counted(COUNTS.inFlight);
  let handle = warm.run;
  await using app = appOn(engine, 100, () => handle());
  await app.start();
  await inFlight(COUNTS.warmUp, 100, () => publish(app));
  await warm.ended;
  handle = run;
  const figure = await rate(ROWS.together, COUNTS.inFlight, async () => {
    await inFlight(COUNTS.inFlight, 100, () => publish(app));
    await ended;
  });
  handle = async () => void samples.push(performance.now() - (sent.shift() ?? 0));
  await fiftyASecond(200, (moment) => {
    sent.push(moment);
    void publish(app);
  });
  return [figure, ...latencies(samples)];
}

/** An app with one handler. */
export function appOn(engine: string, concurrency: number, handle: () => Promise<void>): App {
  const registry = createRegistry();
  // Named, since the backlog belongs to the handler of this name, whichever app claims it.
  registry.on(EVENT, { name: "bench.handler", concurrency }).execute(handle);
  return createApp({ registry, engine, log: "silent", env: {} });
}

function publish(app: App): Promise<string> {
  return app.publish(EVENT, DATA);
}

/** A handler that does nothing but say when so many runs have come, of which the first `before` do not count. */
function counted(count: number, before = 0) {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let runs = 0;
  const run = async (): Promise<void> => {
    runs++;
    if (runs === before) begun.resolve();
    if (runs === before + count) ended.resolve();
  };
  return { run, begun: begun.promise, ended: ended.promise };
}
