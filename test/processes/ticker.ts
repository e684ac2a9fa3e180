/* A process with a task that ticks: it notes each attempt in a journal, and tells what it fires. */
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { engineOf } from "../../src/engines.ts";
import { createApp, createRegistry } from "../../src/index.ts";
import type { Grave, TickerOrder, TickerSetup } from "./setup.ts";
import { tell } from "./tell.ts";

const {
  path,
  every,
  lease,
  engine: url = `sqlite:${path}`,
} = JSON.parse(process.argv[2] ?? "{}") as TickerSetup; // written by the test
const journal = openSync(join(path, "..", "journal"), "a");
let grave: Grave | undefined;

const registry = createRegistry();
// "all": a machine that is too busy for a tick of 100 ms runs it later, and still once.
const options = { every, overlap: "allow", misfire: "all", retry: { attempts: 10, delay: 1 } } as const;
registry.timeOn("task", options).execute(({ scheduled }, ctx) => {
  writeSync(journal, `began ${scheduled} ${ctx.id} ${ctx.attempt} ${Date.now()}\n`);
  dieAt("in the handler");
  writeSync(journal, `ended ${scheduled} ${ctx.id} ${ctx.attempt} ${Date.now()}\n`);
});
registry.timeOn("here", { every, scope: "instance" }).execute(({ scheduled }) => tell("ran here", scheduled));

const engine = await engineOf(url);
const { schedules, queue } = engine;
const fire = schedules.fire.bind(schedules);
schedules.fire = async (task, hash, tick, next, messages) => {
  const first = await fire(task, hash, tick, next, messages);
  if (first) {
    dieAt("after fire");
    tell("fired", tick);
  }
  return first;
};
const claim = queue.claim.bind(queue);
queue.claim = async (wants) => {
  const claims = await claim(wants);
  if (claims.claims.length > 0) dieAt("after claim");
  return claims;
};

// Its environment is what the test gave it.
const app = createApp({ engine, registry, log: "silent", ...(lease !== undefined && { lease }) });
await app.start();
const orders = createInterface({ input: process.stdin });
orders.on("line", (line) => obey(JSON.parse(line) as TickerOrder)); // written by worker-process.ts
tell("ready");

function obey(order: TickerOrder): void {
  if (order.do === "die") grave = order.at;
  else if (order.do === "block") {
    tell("blocked");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, order.ms);
    tell("free");
  } else void stop();
}

function dieAt(here: Grave): void {
  if (grave === here) process.kill(process.pid, "SIGKILL");
}

async function stop(): Promise<void> {
  await app.stop();
  orders.close();
  process.stdin.destroy();
}
