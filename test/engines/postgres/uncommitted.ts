/* Publishes in a transaction of its own, says so, and waits to be killed. */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { postgresEngine } from "../../../src/engines/postgres/engine.ts";
import { systemClock } from "../../../src/clock.ts";

const url = process.argv[2] ?? "";
const engine = postgresEngine(url);
const instance = {
  id: randomUUID(),
  host: "host",
  pid: process.pid,
  version: "1.0.0",
  startedAt: Date.now(),
};
await engine.start({ clock: systemClock, instance, lease: 30_000 });
const message = { event: "e", payload: "{}", priority: 0, due: 0 };
const client = new pg.Client({
  connectionString: url,
  application_name: new URL(url).searchParams.get("schema") ?? "",
});
await client.connect();
await client.query("begin");
const [published] = await engine.queue.publish([message, { ...message, key: "k" }], client);
console.log(`published ${published?.id}`);
setInterval(() => {}, 1_000);
