import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Engine } from "../../src/engine.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { startEngine, until } from "../engines/sqlite/data-dir.ts";
import { faultsOf } from "./consistency.ts";
import { Journal } from "./journal.ts";
import type { Role } from "./role.ts";
import { Victim } from "./victim.ts";

/** How many processes are killed for each seed. */
const ROUNDS = Number(process.env["CRASH_ROUNDS"] ?? 160);
/** So many on one file, then it is looked at. */
const ROUNDS_OF_FILE = 40;
const FRESH_SEED = Number(process.env["CRASH_SEED"] ?? Date.now() % 1_000_000);
/** The processes that are alive at a time. */
const ROLES = [
  { publishes: true },
  { publishes: false },
  { publishes: false },
  { publishes: false, checkpoints: true },
];

let cache = "";
beforeAll(() => (cache = mkdtempSync(join(tmpdir(), "crash-cache-"))));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

test.each([
  ["the fixed seed", 20_261_122],
  ["a fresh seed", FRESH_SEED],
])(
  "kill -9 at any moment, with %s",
  async (_, seed) => {
    const deaths = new Map<string, number>();
    const files = Math.ceil(ROUNDS / ROUNDS_OF_FILE);
    let runs = 0;
    for (let file = 0; file < files; file++) {
      const journal = await crashOneFile(seed + file * 1_000);
      runs += journal.runs;
      for (const [where, count] of journal.deaths) deaths.set(where, (deaths.get(where) ?? 0) + count);
    }
    const where = [...deaths].toSorted(([, one], [, other]) => other - one);
    console.log(
      `crash seed ${seed} (CRASH_SEED): ${ROUNDS} kills, ${runs} runs of handlers; killed itself`,
      where.map(([place, count]) => `${place} ${count}`).join(", "),
    );
    // Were there none of them, the way to kill at a statement would have come to nothing.
    expect(where.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(ROUNDS / 10);
  },
  60_000 + ROUNDS * 2_000,
);

/** Kills processes on one file, looks at what is left, then has the rest done. */
async function crashOneFile(seed: number): Promise<Journal> {
  const folder = mkdtempSync(join(tmpdir(), "crash-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const each = Math.ceil(ROUNDS_OF_FILE / ROLES.length);
  await Promise.all(ROLES.map((role, no) => killAgainAndAgain(folder, role, seed + no * 100, each)));

  const path = join(folder, "app.db");
  // Its start takes over from those that are gone.
  const engine = await startEngine(path);
  expect(faultsOf(path)).toEqual([]);
  expect(await engine.presence.instances()).toHaveLength(1);
  const journal = new Journal(folder);
  expect(journal.violations).toEqual([]);
  expect(await missing(engine, journal)).toEqual([]);

  const last = start(folder, { publishes: false, seed: 0 });
  await last.ready;
  await until("all that is left is handled", () => count(path, "delivery") === 0);
  last.child.kill("SIGTERM");
  await last.exitedWithin(5_000);
  expect(last.child.exitCode).toBe(0);
  const end = new Journal(folder);
  expect(end.violations).toEqual([]);
  expect(await missing(engine, end)).toEqual([]);
  expect(faultsOf(path)).toEqual([]);
  expect(count(path, "instance")).toBe(1);
  await engine.stop();
  return end;
}

async function killAgainAndAgain(
  folder: string,
  role: Pick<Role, "publishes">,
  seed: number,
  rounds: number,
): Promise<void> {
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round++) {
    const kill = random();
    const crashAt = Math.ceil(random() ** 2 * 2_500);
    const wait = random() ** 2;
    const victim = start(folder, { ...role, seed: seed * 100 + round, ...(kill < 0.5 && { crashAt }) });
    if (kill < 0.5) {
      await victim.ready;
      await victim.exitedWithin(250);
    } else {
      // Some do not live to see the end of their start.
      if (kill < 0.9) await victim.ready;
      await delay(wait * 250);
      await victim.kill();
    }
  }
}

function start(folder: string, role: Role): Victim {
  return new Victim("worker.ts", [folder, JSON.stringify(role)], cache);
}

/** What was acknowledged and is neither stored, nor dead, nor handled: for each of its handlers. */
async function missing(engine: Engine, journal: Journal): Promise<string[]> {
  const stored = await engine.queue.list({ limit: Infinity });
  const dead = await engine.deadLetters.list({ limit: Infinity });
  const known = new Set([...stored, ...dead].map(({ handler, id }) => `${handler} ${id}`));
  return [...journal.acked.values()].flatMap((id) =>
    ["one", "two"]
      .filter((handler) => !known.has(`${handler} ${id}`) && !journal.ended(handler, id))
      .map((handler) => `${handler} ${id}`),
  );
}

function count(path: string, table: "delivery" | "instance"): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(db.prepare(`select count(*) as rows from ${table}`).get()?.["rows"]);
  } finally {
    db.close();
  }
}
