/*
 * Three replicas of one app, and who of them ran what:
 *
 *   node examples/replicas/main.ts                                       on Redis at 127.0.0.1:6379
 *   node examples/replicas/main.ts postgres://user@127.0.0.1:5432/db     on Postgres
 *   node examples/replicas/main.ts sqlite:data/replicas.db               on one file
 *
 * Each order is shipped once and each second is reported once, whoever of them does it. One replica is killed with -9
 * on the way; the others go on, and do again what it had begun. Ctrl-C ends it sooner.
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "10" } },
});
const engine = positionals[0] ?? "redis://127.0.0.1:6379?prefix=replicas-example";
const seconds = Number(values.seconds);

const tally = new Map<string, Map<string, number>>();
const waiting = new Set<() => void>();

function start(name: string): ChildProcess {
  const env = { ...process.env, REPLICA: name, ENGINE_URL: engine, LEASE: "5s" };
  const child = fork(join(import.meta.dirname, "replica.ts"), { env });
  child.on("message", (message) => {
    const { what } = message as { what: string }; // as replica.ts tells it
    console.log(`${name}  ${what}`);
    const kind = what.split(" ")[0] ?? "";
    const counts = tally.get(kind) ?? new Map<string, number>();
    tally.set(kind, counts.set(name, (counts.get(name) ?? 0) + 1));
    for (const look of waiting) look();
  });
  child.once("exit", (code, signal) => console.log(`${name}  ended (${signal ?? code})`));
  return child;
}

/** Resolves when so many have told this; at the latest when its time is over. */
function told(kind: string, times: number, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      waiting.delete(look);
      resolve();
    };
    const sum = (): number => [...(tally.get(kind)?.values() ?? [])].reduce((a, b) => a + b, 0);
    const look = (): void => void (sum() >= times && end());
    const timer = setTimeout(end, ms);
    waiting.add(look);
    look();
  });
}

const replicas = ["one", "two", "three"].map(start);
process.once("SIGINT", () => replicas.forEach((replica) => replica.kill()));
await told("is", replicas.length, 15_000);

let orders = 0;
const publish = (): void => void replicas.find((replica) => replica.connected)?.send(++orders);
const publishing = setInterval(publish, 200);
setTimeout(() => replicas[1]?.kill("SIGKILL"), (seconds * 1_000) / 2);
await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
clearInterval(publishing);

await told("shipped", orders, 15_000);
const living = replicas.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
const ended = living.map((replica) => once(replica, "exit"));
for (const replica of living) replica.kill();
await Promise.all(ended);
for (const kind of ["shipped", "reported"]) {
  const counts = [...(tally.get(kind) ?? [])].map(([name, count]) => `${name} ${count}`);
  console.log(`${kind}: ${counts.join(", ")}`);
}
const shipped = [...(tally.get("shipped")?.values() ?? [])].reduce((a, b) => a + b, 0);
console.log(`${orders} orders were published, ${shipped} times an order was shipped`);
