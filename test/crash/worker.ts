/*
 * A process to be killed. It publishes, or handles what is there, and appends what happens to one journal that all
 * processes share: see journal.ts.
 */
import { openSync, readFileSync, writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import type { ClaimRef } from "../../src/engine.ts";
import { sqliteEngine } from "../../src/engines/sqlite/engine.ts";
import { createApp, createRegistry, Fatal } from "../../src/index.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { dieAt } from "./crash-point.ts";
import { CONCURRENCY, type Role } from "./role.ts";

interface Work {
  readonly n: number;
  readonly key?: string;
  readonly filler?: string;
}

const [, , folder = ".", given = "{}"] = process.argv;
const { publishes, checkpoints, seed, crashAt = Infinity } = JSON.parse(given) as Role; // written by the test
const path = join(folder, "app.db");
const journal = openSync(join(folder, "journal"), "a");
const note = (...fields: readonly unknown[]): void =>
  void writeSync(journal, `${fields.join(" ")} ${process.pid}\n`);
const point = dieAt(crashAt, (what) => note("died", what.replaceAll(" ", "-")));

const registry = createRegistry();
for (const name of ["one", "two"]) {
  registry
    .on("work", { name, concurrency: CONCURRENCY, retry: { attempts: 10_000, delay: 1 } })
    .execute(async ({ n, key }: Work, ctx) => {
      note("began", name, n, ctx.id, ctx.attempt, key ?? "-");
      point("in the handler");
      if (n % 7 === 0) await delay(n % 5);
      if (n % 41 === 0) throw new Fatal("this one never works");
      if (n % 11 === 0 && ctx.attempt === 1) throw new Error("the first time fails");
      note("ended", name, n, ctx.id, ctx.attempt, key ?? "-");
      point("at the handler's end");
    });
}

const engine = sqliteEngine(`sqlite:${path}`);
const settle = engine.queue.settle.bind(engine.queue);
engine.queue.settle = async (settlements) => {
  const settled = await settle(settlements);
  settlements.forEach(({ kind, claim }, at) => noteSettled(settled[at] === true ? kind : "lost", claim));
  return settled;
};

const app = createApp({ engine, registry, log: "silent", env: {} });
await app.start({ consume: !publishes });
if (checkpoints) checkpointForever();
process.on("SIGTERM", () => void app.stop());
// Usually done at the end, which it does not live to see.
flushCompileCache();
process.stdout.write("ready\n");
if (publishes) await publishForever();

function noteSettled(how: string, { handler, id }: ClaimRef): void {
  note("settled", handler, how, id);
}

/** Like a backup tool that runs beside the app. */
function checkpointForever(): void {
  const db = new DatabaseSync(path);
  const checkpoint = db.prepare("pragma wal_checkpoint(truncate)");
  setInterval(() => checkpoint.get(), 2).unref();
}

async function publishForever(): Promise<void> {
  const random = seededRandom(seed);
  await Promise.all(unanswered().map(publish));
  for (let n = seed * 100_000; ;) {
    const burst = Math.ceil(random() ** 2 * 40);
    await Promise.all(Array.from({ length: burst }, () => publish(n++)));
    await delay(random() * 4);
    // What is published must not run away from those that handle it.
    while ((await engine.queue.subscriptions()).some(({ ready }) => ready > 300)) await delay(5);
  }
}

async function publish(n: number): Promise<void> {
  const key = n % 3 === 0 ? `k${n % 4}` : undefined;
  const payload = { n, ...(key && { key }), ...(n % 50 === 0 && { filler: "x".repeat(30_000) }) };
  note("asked", n);
  const id = await app.publish("work", payload, {
    dedupe: `n${n}`,
    ...(key && { key }),
    ...(n % 13 === 0 && { delay: 3 }),
  });
  note("acked", n, id);
}

/** What the publisher before this one had asked for, and died before the answer: asked for again, with its dedupe key. */
function unanswered(): number[] {
  const open = new Set<number>();
  for (const line of readFileSync(join(folder, "journal"), "utf8").split("\n")) {
    const [what, n] = line.split(" ");
    if (what === "asked") open.add(Number(n));
    else if (what === "acked") open.delete(Number(n));
  }
  return [...open];
}
