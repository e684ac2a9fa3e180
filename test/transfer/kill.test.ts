import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Seal } from "../../src/engine-transfer.ts";
import type { Engine } from "../../src/engine.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { backup, migrate, restore, undoMigrate } from "../../src/transfer/transfer.ts";
import { temporaryFolder, until } from "../cli/program-runs.ts";
import { EACH_ENGINE, onEachEngine, type Store, STORES } from "../processes/stores.ts";
import { contentOf, fill, using } from "./filled-store.ts";

/* Who moves or restores a store is killed with -9 at a random moment; the same call again brings it to its end. */

const SEED = Number(process.env["SEED"] ?? Date.now() % 100_000);
/** On SQLite, where a dead process is known to be dead at once. */
const ROUNDS = Number(process.env["TRANSFER_ROUNDS"] ?? 6);
const MESSAGES = 5_000;

/** How the two stores look to others. */
async function seals(from: string, to: string): Promise<[Seal | undefined, Seal | undefined, boolean]> {
  const source = await using(from, (engine) => engine.transfer.sealed());
  const [target, empty] = await using(to, async ({ transfer }) => [
    await transfer.sealed(),
    await transfer.isEmpty(),
  ]);
  return [source, target, empty];
}

/** After so many pieces of what is carried, and so many milliseconds more. */
function moment(random: () => number): string[] {
  return [String(Math.floor(random() * 12)), String(Math.floor(random() * 20))];
}

async function killed(...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "carrier.ts"), ...args], {
    stdio: "inherit",
  });
  await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
}

/** Until the dead one is known to be dead. */
async function again<T>(call: () => Promise<T>): Promise<T> {
  return until(
    async () => {
      try {
        return await call();
      } catch (error) {
        if ((error as { code?: string }).code === "ENGINE_BUSY") return undefined;
        throw error;
      }
    },
    () => "an end of the copying",
  );
}

function onceMoved(error: unknown): void {
  expect(error).toMatchObject({ code: "ENGINE_SEALED" });
}

async function move(sqlite: Store, store: Store, random: () => number): Promise<string> {
  const [from, to] = [await sqlite.create(), await store.create()];
  const content = await using(from, async (engine: Engine) => {
    await fill(engine, MESSAGES);
    return contentOf(engine);
  });
  await killed("migrate", from, to, ...moment(random));
  const [source, target, empty] = await seals(from, to);
  const broken = source?.state === "moving";
  // Never are both open while both hold something.
  expect(source ? !broken || empty || target?.state === "filling" : empty || target !== undefined).toBe(true);
  if (broken && random() < 0.5) {
    await again(() => undoMigrate({ from }));
    await using(from, (engine) => engine.check());
  }
  expect(await using(from, contentOf)).toEqual(content);
  await again(() => migrate({ from, to })).catch(source?.state === "moved" ? onceMoved : undefined);
  expect(await using(to, contentOf)).toEqual(content);
  await using(to, (engine) => engine.check());
  expect((await seals(from, to))[0]?.state).toBe("moved");
  return `${source?.state ?? "open"}/${target?.state ?? "open"}`;
}

async function restoreAnew(sqlite: Store, store: Store, random: () => number): Promise<string> {
  const [from, to] = [await sqlite.create(), await store.create()];
  const content = await using(from, async (engine: Engine) => {
    await fill(engine, MESSAGES);
    return contentOf(engine);
  });
  const file = join(await temporaryFolder(), "b.ndjson.gz");
  await backup({ engine: from, file });
  await killed("restore", file, to, ...moment(random));
  const seal = await using(to, (engine) => engine.transfer.sealed());
  const whole = seal === undefined && !(await using(to, ({ transfer }) => transfer.isEmpty()));
  if (!whole) await again(() => restore({ engine: to, file }));
  expect(await using(to, contentOf)).toEqual(content);
  return seal?.state ?? (whole ? "whole" : "empty");
}

const [sqlite] = STORES;
if (!sqlite) throw new Error("SQLite is everywhere");

test(`a move or a restore that was killed is done again, and nothing is lost or doubled (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const seen: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    seen.push(await move(sqlite, sqlite, random));
    seen.push(await restoreAnew(sqlite, sqlite, random));
  }
  console.log(`found after the kills: ${seen.join(", ")}`);
}, 120_000);

test(`the same ${EACH_ENGINE} (seed ${SEED})`, async () => {
  const random = seededRandom(SEED + 1);
  await onEachEngine(async (store) => {
    await Promise.all([move(sqlite, store, random), restoreAnew(sqlite, store, random)]);
  });
}, 120_000);
