/* A process that works, does what it is told on its standard input, and tells what happens: see tell.ts. */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { createInterface } from "node:readline";
import type { Logger } from "../../src/index.ts";
import type { Order, Setup } from "./setup.ts";
import { codeOf, tell } from "./tell.ts";
import { declareWork } from "./work.ts";

const setup = JSON.parse(process.argv[2] ?? "{}") as Setup; // written by worker-process.ts
if (setup.deaf) {
  fs.watch = () => {
    throw new Error("no more watches");
  };
  syncBuiltinESMExports();
}
// After that, so that it finds what has just been changed.
const { createApp, createRegistry } = await import("../../src/index.ts");

const registry = createRegistry();
const work = declareWork(registry, setup);

const app = createApp({
  engine: setup.engine ?? `sqlite:${setup.path}`,
  registry,
  log: logger(),
  env: {},
  ...(setup.lease !== undefined && { lease: setup.lease }),
  ...(setup.shutdownTimeout !== undefined && { shutdownTimeout: setup.shutdownTimeout }),
});
await app.start({ consume: !setup.idle });
const orders = createInterface({ input: process.stdin });
orders.on("line", (line) => void obey(JSON.parse(line) as Order)); // written by worker-process.ts
process.on("SIGTERM", () => void stop());
tell("ready");

async function obey(order: Order): Promise<void> {
  if (order.do === "publish") {
    const ids = await Promise.all(order.tasks.map((task) => app.publish("work", task, order.options)));
    tell("published", ...ids);
  } else if (order.do === "release") {
    work.release();
  } else if (order.do === "sweep") {
    tell("swept", await app.engine.presence.sweep());
  } else if (order.do === "count") {
    const { text } = await app.metrics();
    const of = (name: string): string =>
      new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, "m").exec(text)?.[1] ?? "none";
    tell("counted", of("framework_lost_leases_total"), of("framework_handlers_abandoned"));
  } else {
    await stop();
  }
}

/** It is not ended by force: nothing that is left may keep it alive. */
async function stop(): Promise<void> {
  tell("stopping");
  await app.stop();
  tell("stopped");
  orders.close();
  process.stdin.destroy();
}

/** Tells of each warning and error by its code. */
function logger(): Logger {
  const silent = (): void => {};
  const report = (fields: object): void => {
    if ("err" in fields) tell("log", codeOf(fields.err));
  };
  const made: Logger = {
    trace: silent,
    debug: silent,
    info: silent,
    warn: report,
    error: report,
    fatal: report,
    child: () => made,
  };
  return made;
}
