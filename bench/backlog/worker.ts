/* A worker on a file with a backlog: `node worker.ts URL COUNT`. Handles so many messages and prints its rate and its memory. */
import { createApp, createRegistry } from "../../dist/index.js";

const [engine = "", count = "0"] = process.argv.slice(2);
const total = Number(count);
const warm = total / 5;
const registry = createRegistry();
const ended = Promise.withResolvers<void>();
let runs = 0;
let began = 0;
let peak = 0;
registry.on("backlog", { name: "bench.backlog", concurrency: 100 }).execute(async () => {
  runs++;
  if (runs === warm) began = performance.now();
  if (runs % 1_000 === 0) peak = Math.max(peak, process.memoryUsage.rss());
  if (runs === warm + total) ended.resolve();
});
const app = createApp({ registry, engine, log: "silent", env: {} });
await app.start();
await ended.promise;
const rate = (total / (performance.now() - began)) * 1_000;
console.log(JSON.stringify({ rate, megabytes: peak / 1_048_576 }));
process.exit(0);
