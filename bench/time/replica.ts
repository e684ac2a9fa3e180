/* One replica of three with one task of a second: `node replica.ts NAME ENGINE`. Prints how late each run began, in milliseconds. */
import { setTimeout as wait } from "node:timers/promises";
import { createApp, createRegistry } from "../../dist/index.js";
import { load } from "../measure/peers.ts";

type Report = (due: number) => void;

const [name = "", engine = ""] = process.argv.slice(2);
const report: Report = (due) => void process.stdout.write(`${Date.now() - due}\n`);
if (name === "bullmq") await bullmq(engine, report);
else await ours(engine, report);
// Until our parent ends us.
await wait(600_000);

async function ours(url: string, tell: Report): Promise<void> {
  const registry = createRegistry();
  registry.timeOn("bench.second", { every: "1s" }).execute(({ scheduled }) => tell(scheduled));
  await createApp({ registry, engine: url, log: "silent", env: {} }).start();
}

interface BullMq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => {
    upsertJobScheduler(id: string, repeat: object): Promise<unknown>;
  };
  readonly Worker: new (
    name: string,
    run: (job: {
      readonly timestamp: number;
      readonly delay: number;
      readonly opts: { readonly delay?: number };
    }) => Promise<void>,
    options: object,
  ) => { on(event: "error", hear: (error: unknown) => void): void };
}

async function bullmq(url: string, tell: Report): Promise<void> {
  const { Queue, Worker } = await load<BullMq>("bullmq");
  const { hostname: host, port } = new URL(url);
  const options = { connection: { host, port: Number(port) }, prefix: "bench-time" };
  const run = async ({ timestamp, opts }: Parameters<ConstructorParameters<BullMq["Worker"]>[1]>[0]) =>
    tell(timestamp + (opts.delay ?? 0));
  new Worker("second", run, options).on("error", () => {});
  await new Queue("second", options).upsertJobScheduler("second", { every: 1_000 });
}
