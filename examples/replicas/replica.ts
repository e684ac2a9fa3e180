/* One of the replicas that main.ts starts: an app like any other. What it does it tells its parent. */
import { createApp, on, timeOn } from "decorator-framework";

const name = process.env["REPLICA"] ?? "replica";
const tell = (what: string): void => void process.send?.({ name, what });

on("order.paid", { name: "ship" }).execute(async ({ n }: { n: number }) => {
  tell(`shipped order ${n}`);
});

timeOn("report", { every: "1s" }).execute(async ({ scheduled }) => {
  tell(`reported at ${new Date(scheduled).toISOString().slice(11, 19)}`);
});

const app = createApp({ log: "warn" });
await app.start();
tell("is ready");

process.on("message", (n: number) => void app.publish("order.paid", { n }));

async function end(): Promise<void> {
  await app.stop();
  // The channel to the parent would keep the process running.
  if (process.connected) process.disconnect();
}
for (const signal of ["SIGTERM", "SIGINT", "disconnect"] as const) process.once(signal, () => void end());
