import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { APPLICATION_ID, SCHEMA_VERSION } from "../../src/engines/sqlite/migrations.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { message, startEngine } from "../engines/sqlite/data-dir.ts";
import { faultsOf } from "./consistency.ts";
import { Victim } from "./victim.ts";

const ROUNDS = Number(process.env["CRASH_ROUNDS"] ?? 160) / 10;
const FRESH_SEED = Number(process.env["CRASH_SEED"] ?? Date.now() % 1_000_000);
const OLD_FILES = 5;

test.each([
  ["the fixed seed", 20_261_122],
  ["a fresh seed", FRESH_SEED],
])(
  "kill -9 of processes that make, and bring up to date, the same files, with %s",
  async (_, seed) => {
    const random = seededRandom(seed);
    const cache = newFolder("crash-cache-");
    let [half, whole] = [0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const folder = newFolder("crash-");
      for (let n = 0; n < OLD_FILES; n++) makeOldFile(join(folder, `old-${n}.db`));
      const crashAt = String(Math.ceil(random() * 120));
      const [one, other] = [
        new Victim("opener.ts", [folder, crashAt], cache),
        new Victim("opener.ts", [folder], cache),
      ];
      await Promise.all([one.ready, other.ready]);
      await delay(random() * 80);
      await Promise.all([one.kill(), other.kill()]);
      for (const name of readdirSync(folder).filter((each) => each.endsWith(".db"))) {
        if (versionOf(join(folder, name)) === SCHEMA_VERSION) whole++;
        else half++;
        await isWhole(join(folder, name));
      }
    }
    console.log(
      `crash seed ${seed} (CRASH_SEED): ${whole} files were ready, ${half} were not begun or half made`,
    );
    expect(whole).toBeGreaterThan(0);
    expect(half).toBeGreaterThan(0);
  },
  60_000 + ROUNDS * 2_000,
);

/** The next process finds all of the schema, or makes it, and can work. */
async function isWhole(path: string): Promise<void> {
  const engine = await startEngine(path);
  expect(await engine.presence.instances()).toHaveLength(1);
  await engine.queue.publish([message()]);
  const { claims } = await engine.queue.claim([{ handler: "h", limit: 10 }]);
  expect(claims).toHaveLength(1);
  expect(faultsOf(path)).toEqual([]);
  await engine.stop();
  expect(versionOf(path)).toBe(SCHEMA_VERSION);
}

/** Marked as ours, and of the version before the first: nothing is in it. Later versions add files that they wrote. */
function makeOldFile(path: string): void {
  const db = new DatabaseSync(path);
  db.exec(`pragma journal_mode = wal; pragma application_id = ${APPLICATION_ID}`);
  db.close();
}

function versionOf(path: string): number {
  const db = new DatabaseSync(path);
  try {
    return Number(db.prepare("pragma user_version").get()?.["user_version"]);
  } finally {
    db.close();
  }
}

function newFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
