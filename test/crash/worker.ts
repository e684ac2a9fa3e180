// A process to be killed. Publishes what it is told, handles what is there, and appends to files what it has done:
// `acked` an id once publish has resolved, `started` and `handled` a number when its handler begins and ends.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { createApp, createRegistry } from "../../src/index.ts";

const [folder = ".", from = "0", to = "0"] = process.argv.slice(2);
const note = (file: string, line: unknown): void => appendFileSync(join(folder, file), `${String(line)}\n`);

const registry = createRegistry();
registry
  .on("work", { concurrency: 20, retry: { attempts: 50, delay: 1 } })
  .execute(async function work(payload: { n: number }) {
    note("started", payload.n);
    await new Promise((resolve) => setImmediate(resolve));
    note("handled", payload.n);
  });

const app = createApp({ engine: `sqlite:${join(folder, "app.db")}`, registry, log: "silent", env: {} });
await app.start();
process.stdout.write("ready\n");
for (let n = Number(from); n < Number(to); n++) {
  await app.publish("work", { n });
  note("acked", n);
}
process.stdout.write("published\n");
