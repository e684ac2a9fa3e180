/* A process for many small things: it uses shared limits as often as it is told to, and notes each job in a journal. */
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/clock.ts";
import { createApp, createRegistry } from "../../src/index.ts";
import type { HandOrder, HandSetup, Limit } from "./setup.ts";
import { tell } from "./tell.ts";

const setup = JSON.parse(process.argv[2] ?? "{}") as HandSetup; // written by the test
const journal = openSync(join(setup.path, "..", "journal"), "a");
/** One write each: what stands first in the journal has happened first, whoever wrote it. */
const note = (...words: readonly unknown[]): void =>
  void writeSync(journal, `${words.join(" ")} ${process.pid}\n`);
/** Calls under way at a time. */
const LANES = 50;
const CHUNK = 250;
let dying = false;

const registry = createRegistry();
registry.commandOn("cool", "/cool", { cooldown: { per: "10m", scope: "user" } }).execute(() => {});
registry.commandOn("rated", "/rated", { rateLimit: { limit: 4_321, per: "10m" } }).execute(() => {});
registry.commandOn("sliding", "/sliding", { rateLimit: { limit: 50, per: "500ms" } }).execute(() => {});
registry
  .reOn("flood", "content", /attack from (?<ip>\S+)/, {
    threshold: { count: 7, within: "10m", by: ({ groups }) => groups["ip"] ?? "" },
  })
  .execute(() => {});
registry
  .on("job", { name: "job", concurrency: setup.concurrency ?? LANES })
  .execute(async ({ n, key }: { n: number; key?: string }, ctx) => {
    note("began", n, key ?? "-", ctx.attempt);
    if (dying) process.kill(process.pid, "SIGKILL");
    await delay(3);
    note("ended", n, key ?? "-", ctx.attempt);
  });

/** Each answers whether the `n`th use was let. */
const USES: Record<Limit, (n: number) => Promise<boolean>> = {
  cooldown: async (n) => (await app.handle("/cool", { user: `user ${n}` })).status === "ok",
  "rate limit": async () => (await app.handle("/rated")).status === "ok",
  "sliding window": async () => {
    const before = process.hrtime.bigint();
    const { status, retryAfter } = await app.handle("/sliding");
    if (status === "ok") tell("granted", before);
    // A caller who is told to wait does, or all of it would be over within a window.
    else await delay(retryAfter);
    return status === "ok";
  },
  threshold: async (n) => (await app.match(`attack from 10.0.0.${n % 13}`)).length > 0,
};

const { skew = 0 } = setup;
const app = createApp({
  engine: setup.engine ?? `sqlite:${setup.path}`,
  registry,
  log: "silent",
  env: {},
  clock: { ...systemClock, now: () => systemClock.now() + skew },
  ...(setup.lease !== undefined && { lease: setup.lease }),
});
await app.start({ consume: !setup.idle });
createInterface({ input: process.stdin }).on("line", (line) => void obey(JSON.parse(line) as HandOrder)); // written by worker-process.ts
tell("ready");

async function obey(order: HandOrder): Promise<void> {
  if (order.do === "use") tell("let", await use(USES[order.limit], order.times));
  else if (order.do === "die") {
    dying = true;
    tell("will die");
  } else await publish(order.from, order.jobs, order.keys ?? 0);
}

async function use(once: (n: number) => Promise<boolean>, times: number): Promise<number> {
  let [n, granted] = [0, 0];
  const lane = async (): Promise<void> => {
    while (n < times) if (await once(n++)) granted++;
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return granted;
}

async function publish(from: number, jobs: number, keys: number): Promise<void> {
  for (let at = 0; at < jobs; at += CHUNK) {
    const numbers = Array.from({ length: Math.min(CHUNK, jobs - at) }, (_, more) => from + at + more);
    await Promise.all(
      numbers.map((n) => {
        const key = keys > 0 ? `key-${n % keys}` : undefined;
        return app.publish("job", { n, ...(key && { key }) }, key === undefined ? {} : { key });
      }),
    );
  }
  tell("published", jobs);
}
