/* One contestant in a process of its own: `node --expose-gc keep.ts NAME KIND COUNT MS`. Prints what it cost. */
import { setTimeout as wait } from "node:timers/promises";
import { limit } from "./limit.ts";
import { declared, ours } from "./ours.ts";
import { INTERVAL_PEERS, LINE_PEERS } from "./peers.ts";
import type { Contestant, Kind } from "./work.ts";

/** What it costs to keep the timers. */
export interface Kept {
  /** Microseconds to register one. */
  readonly register: number;
  readonly bytes: number;
  /** Milliseconds of CPU a second. */
  readonly cpu: number;
  /** Milliseconds; undefined where the contestant does not say for which moment it fires. */
  readonly p99: number | undefined;
  readonly ticks: number;
}

const CONTESTANTS: Readonly<Record<string, Contestant>> = {
  ours,
  declared,
  limit,
  ...INTERVAL_PEERS,
  ...LINE_PEERS,
};

const [name = "", kind = "", count = "0", ms = "0"] = process.argv.slice(2);
const contestant = CONTESTANTS[name];
if (!contestant) throw new Error(`There is no contestant ${name}.`);
console.log(JSON.stringify(await measure(contestant, kind as Kind, Number(count), Number(ms)))); // our parent's
process.exit(0);

async function measure(
  { prepare }: Contestant,
  given: Kind,
  timers: number,
  duration: number,
): Promise<Kept> {
  const late: number[] = [];
  let ticks = 0;
  let counting = false;
  const tick = (due?: number): void => {
    if (!counting) return;
    ticks++;
    if (due !== undefined) late.push(Date.now() - due);
  };
  // The modules and the compiler are not what is measured.
  await (
    await prepare(given, 100, tick)
  )();
  const register = await prepare(given, timers, tick);
  const heap = used();
  const start = process.cpuUsage();
  await register();
  const registered = micros(process.cpuUsage(start));
  const bytes = (used() - heap) / timers;
  await wait(500);
  counting = true;
  const [before, from] = [process.cpuUsage(), performance.now()];
  await wait(duration);
  const cpu = micros(process.cpuUsage(before)) / (performance.now() - from);
  late.sort((a, b) => a - b);
  return {
    register: registered / timers,
    bytes,
    cpu,
    p99: late[Math.floor(late.length * 0.99)],
    ticks: (ticks * 1_000) / duration,
  };
}

function used(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}

function micros({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}
