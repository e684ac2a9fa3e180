/* A schedule of a second on three processes: how late the runs begin. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { load } from "../measure/peers.ts";

/** Milliseconds. */
export interface Lateness {
  readonly p50: number;
  readonly p99: number;
}

const REPLICA = join(import.meta.dirname, "replica.ts");
/** Starting, joining and the first ticks do not count. */
const WARM_UP_MS = 2_500;

/** On one SQLite file. */
export async function oursOnThree(seconds: number): Promise<Lateness> {
  const directory = mkdtempSync(join(tmpdir(), "bench-time-"));
  try {
    return await onThree("ours", `sqlite:${join(directory, "app.db")}`, seconds);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** BullMQ's job scheduler. @throws when no Redis answers on loopback. */
export async function bullmqOnThree(seconds: number): Promise<Lateness> {
  const url = process.env["BENCH_REDIS_URL"] ?? "redis://127.0.0.1:6379";
  const { Queue } = await load<BullMq>("bullmq");
  const { hostname: host, port } = new URL(url);
  const connection = { host, port: Number(port), maxRetriesPerRequest: 1, retryStrategy: () => null };
  const queue = new Queue("second", { connection, prefix: "bench-time" });
  queue.on("error", () => {});
  try {
    await queue.obliterate({ force: true });
    return await onThree("bullmq", url, seconds);
  } finally {
    await queue.obliterate({ force: true }).catch(() => {});
    await queue.close();
  }
}

interface BullMq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => {
    obliterate(options: { readonly force: boolean }): Promise<void>;
    close(): Promise<void>;
    on(event: "error", hear: () => void): void;
  };
}

async function onThree(name: string, engine: string, seconds: number): Promise<Lateness> {
  const late: number[] = [];
  const replicas = [1, 2, 3].map(() => start(name, engine, (ms) => late.push(ms)));
  try {
    await wait(WARM_UP_MS);
    late.length = 0;
    await wait(seconds * 1_000);
  } finally {
    for (const replica of replicas) replica.kill("SIGKILL");
  }
  if (late.length === 0) throw new Error(`${name} ran nothing in ${seconds} s`);
  late.sort((a, b) => a - b);
  const at = (share: number): number => late[Math.floor(late.length * share)] as number; // share < 1
  return { p50: at(0.5), p99: at(0.99) };
}

function start(name: string, engine: string, tell: (ms: number) => void): ChildProcess {
  const replica = spawn(process.execPath, [REPLICA, name, engine], { stdio: ["ignore", "pipe", "ignore"] });
  replica.stdout.setEncoding("utf8").on("data", (text: string) => {
    for (const line of text.split("\n")) if (line !== "") tell(Number(line));
  });
  return replica;
}
