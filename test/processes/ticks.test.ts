import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import type { Grave, TickerSetup } from "./setup.ts";
import { EACH_ENGINE, onEachEngine, type Store } from "./stores.ts";
import { newFile, Worker } from "./worker-process.ts";

/*
 * Real processes on each engine, a real clock. 300 ticks of 100 ms by default; five minutes at one second each with:
 *
 *   TICKS_EVERY=1000 npx vitest run test/processes/ticks.test.ts
 */
const EVERY = Number(process.env["TICKS_EVERY"] ?? 100);
const TICKS = Number(process.env["TICKS"] ?? 300);
/** What a killed process held is found after it, where nobody can see that the process is gone. */
const LEASE_MS = 2_000;
const DEADLINE = { timeout: 20_000, interval: 50 };

const newSetup = async ({ create }: Store, every: number): Promise<TickerSetup> => ({
  path: newFile(),
  engine: await create(),
  lease: LEASE_MS,
  every,
});

const ticker = (setup: TickerSetup, env: Record<string, string> = {}): Promise<Worker> =>
  Worker.start(setup, { program: "ticker.ts", env });

describe(`real ticks ${EACH_ENGINE}`, () => {
  test(
    `three processes, ${TICKS} ticks of ${EVERY} ms, one after the other killed at -1, 0 and +1 ms of a tick`,
    { timeout: 60_000 + 2 * TICKS * EVERY },
    () => onEachEngine(killOneAfterTheOther),
  );

  test(
    "an event loop that is blocked for ten seconds, alone: the ticks of that time are run when it is over, each once",
    () =>
      onEachEngine(async (store) => {
        const setup = await newSetup(store, 100);
        const worker = await ticker(setup);
        await worker.saysTimes(/^fired/, 3);
        worker.tell({ do: "block", ms: 10_000 });
        await worker.says("free");
        await vi.waitFor(() => isWithoutGap(read(setup)), DEADLINE);
      }),
    60_000,
  );

  test(
    "an event loop that is blocked for ten seconds, beside another process: that one fires the ticks in time",
    () =>
      onEachEngine(async (store) => {
        const setup = await newSetup(store, 100);
        const [stuck, other] = [await ticker(setup), await ticker(setup)];
        // Not until it has fired: the two race for each tick, and one of them may win every time.
        await other.saysTimes(/^ran here/, 2);
        stuck.tell({ do: "block", ms: 10_000 });
        const { at: from } = await stuck.says("blocked");
        const { at: to } = await stuck.says("free");
        const meanwhile = other.lines.filter(
          ({ text, at: when }) => text.startsWith("fired") && when > from && when < to,
        );
        // A hundred, on a machine that has time for them.
        expect(meanwhile.length).toBeGreaterThan(30);
        await vi.waitFor(() => isWithoutGap(read(setup)), DEADLINE);
      }),
    60_000,
  );
});

describe("the environment", () => {
  test("SCHEDULER_ENABLED=false fires no tick in this process, cluster's or its own, and still runs what others fire", async () => {
    const setup = { path: newFile(), every: 50 };
    const quiet = await ticker(setup, { SCHEDULER_ENABLED: "false" });
    const other = await ticker(setup);
    await other.saysTimes(/^fired/, 20);
    await other.saysTimes(/^ran here/, 20);
    expect(quiet.count(/^fired|^ran here/)).toBe(0);
    await other.kill();
    // Nobody is left who fires; what was fired is run by the one that still consumes.
    await vi.waitFor(() => {
      const { ticks, ended } = read(setup);
      expect(ended).toEqual(ticks);
    }, DEADLINE);
    expect(quiet.count(/^fired|^ran here/)).toBe(0);
  });

  test("HEARTBEAT_INTERVAL is how often a process gives a sign of life", async () => {
    const setup = { path: newFile(), every: 1_000 };
    // Without it: a third of the lease, ten seconds. A plain number is seconds.
    await ticker(setup, { HEARTBEAT_INTERVAL: "0.2" });
    const db = new DatabaseSync(setup.path, { readOnly: true });
    const seen = new Set<number>();
    await vi.waitFor(
      () => {
        for (const row of db.prepare("select seen from instance").all()) seen.add(Number(row["seen"]));
        expect(seen.size).toBeGreaterThanOrEqual(6);
      },
      { ...DEADLINE, timeout: 9_000 },
    );
    db.close();
    const beats = [...seen].slice(1);
    const gaps = beats.slice(1).map((beat, number) => beat - (beats[number] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(195);
  });
});

async function killOneAfterTheOther(store: Store): Promise<void> {
  const setup = await newSetup(store, EVERY);
  const workers = await Promise.all([1, 2, 3].map(() => ticker(setup)));
  // Milliseconds from a tick, or a place in the code that no stopwatch hits.
  const ends: readonly (number | Grave)[] = [-1, 0, 1, "after fire", "after claim", "in the handler"];
  const kills = new Map<number | Grave, number>();
  await vi.waitFor(() => expect(read(setup).ticks.length).toBeGreaterThan(0), DEADLINE);
  const first = read(setup).ticks[0] ?? 0;
  const last = first + (TICKS - 1) * EVERY;
  // Each end comes at least once, however slow the machine.
  for (let turn = 0; turn < ends.length || Date.now() < last; turn++) {
    const end = ends[turn % ends.length] ?? 0;
    const seat = turn % workers.length;
    const victim = workers[seat];
    if (!victim) throw new Error("there are three");
    if (typeof end === "number") {
      const tick = first + Math.ceil((Date.now() + 20 - first) / EVERY) * EVERY;
      await at(tick + end);
      victim.child.kill("SIGKILL");
    } else {
      victim.tell({ do: "die", at: end });
      // The others may be quicker than it at every tick: it is not waited for.
      await Promise.race([victim.says("exit"), delay(10 * EVERY)]);
      victim.child.kill("SIGKILL");
    }
    expect(await victim.exit()).toBe("SIGKILL");
    kills.set(end, (kills.get(end) ?? 0) + 1);
    workers[seat] = await ticker(setup);
  }
  const wanted = Array.from({ length: TICKS }, (_, number) => first + number * EVERY);
  await vi.waitFor(() => expect(read(setup).ended).toEqual(expect.arrayContaining(wanted)), DEADLINE);
  for (const worker of workers) await worker.kill();
  const { ticks, messages, attempts, late } = read(setup);
  expect(ticks.slice(0, TICKS)).toEqual(wanted);
  // Fired once: one message each, which is delivered again when its process died of it, with the attempt counted.
  expect([...messages].filter(([, ids]) => ids.size !== 1)).toEqual([]);
  expect([...attempts].filter(([, counts]) => new Set(counts).size !== counts.length)).toEqual([]);
  const again = [...attempts].filter(([, counts]) => counts.length > 1).length;
  console.log(
    `${store.engine}: killed ${JSON.stringify(Object.fromEntries(kills))}; ${again} ticks ran again; late p50 ${late[late.length >> 1]} ms, p99 ${late[Math.floor(late.length * 0.99)]} ms`,
  );
}

/** More than the three seconds and a little, each tick of 100 ms once. */
function isWithoutGap({ ticks, messages, ended }: Read): void {
  const [from = 0, to = 0] = [ticks[0], ticks.at(-1)];
  expect(to - from).toBeGreaterThan(3_500);
  expect(ended).toEqual(Array.from({ length: (to - from) / 100 + 1 }, (_, number) => from + number * 100));
  expect([...messages].filter(([, ids]) => ids.size !== 1)).toEqual([]);
}

interface Read {
  readonly ticks: readonly number[];
  readonly ended: readonly number[];
  readonly messages: ReadonlyMap<number, Set<string>>;
  readonly attempts: ReadonlyMap<number, number[]>;
  /** Of each first attempt, sorted. */
  readonly late: readonly number[];
}

/** What the processes have noted. */
function read({ path }: TickerSetup): Read {
  const ended = new Set<number>();
  const messages = new Map<number, Set<string>>();
  const attempts = new Map<number, number[]>();
  const late: number[] = [];
  for (const line of readFileSync(join(path, "..", "journal"), "utf8")
    .split("\n")
    .slice(0, -1)) {
    const [what, tick = "", id = "", attempt = "", now = ""] = line.split(" ");
    const moment = Number(tick);
    if (what === "ended") ended.add(moment);
    else {
      messages.set(moment, (messages.get(moment) ?? new Set()).add(id));
      attempts.set(moment, [...(attempts.get(moment) ?? []), Number(attempt)]);
      if (attempt === "1") late.push(Number(now) - moment);
    }
  }
  const sorted = (numbers: Iterable<number>) => [...numbers].sort((one, other) => one - other);
  return { ticks: sorted(messages.keys()), ended: sorted(ended), messages, attempts, late: sorted(late) };
}

/** Resolves within a fraction of a millisecond of a moment: the last ones are waited out with the processor. */
async function at(moment: number): Promise<void> {
  const now = (): number => performance.timeOrigin + performance.now();
  await delay(Math.max(0, moment - now() - 3));
  while (now() < moment);
}
