import { randomBytes } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { type App, createApp, createRegistry } from "../../../src/index.ts";
import { until } from "../sqlite/data-dir.ts";
import { smallDisk } from "../sqlite/small-disk.ts";
import { noBinary, PrivateServer } from "./private-server.ts";

/** Does not shrink when it is compressed. */
const PAYLOAD = randomBytes(3_000).toString("hex");
const TIMEOUT_MS = 3_000;
/** What is promised: see docs/engines/postgres.md. */
const RESUMES_MS = 6_000;

interface Load {
  readonly app: App;
  /** The ids of what was acknowledged, and of what was handled. */
  readonly acknowledged: Set<string>;
  readonly handled: Set<string>;
  /** The codes with which publishing failed, and how long each took. */
  readonly failures: { readonly code: string; readonly ms: number }[];
  readonly end: () => Promise<void>;
}

/** An app that publishes and handles as much as it can. */
async function loadOn({ url }: PrivateServer): Promise<Load> {
  const registry = createRegistry();
  const [acknowledged, handled] = [new Set<string>(), new Set<string>()];
  const failures: { code: string; ms: number }[] = [];
  registry.on("e", { name: "h", concurrency: 1 }).execute(async (_, ctx) => void handled.add(ctx.id));
  const engine = `${url}?timeout=${TIMEOUT_MS}ms&synchronous=on`;
  const app = createApp({ registry, engine, log: "silent", env: {} });
  onTestFinished(() => app.stop());
  await app.start();
  let over = false;
  const lane = async (): Promise<void> => {
    while (!over) {
      const began = performance.now();
      try {
        acknowledged.add(await app.publish("e", PAYLOAD));
      } catch (error) {
        failures.push({ code: (error as { code: string }).code, ms: performance.now() - began });
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  const lanes = Array.from({ length: 20 }, lane);
  const end = async (): Promise<void> => {
    over = true;
    await Promise.all(lanes);
  };
  onTestFinished(end);
  return { app, acknowledged, handled, failures, end };
}

/** Whether it goes on unaided within the bound; nothing that was acknowledged may be lost. */
async function resumes({ app, acknowledged, handled, failures, end }: Load): Promise<void> {
  const began = performance.now();
  const [stored, done] = [acknowledged.size, handled.size];
  await until("it is ready", async () => (await app.ready()).status === "ok");
  await until("it publishes and delivers", () => acknowledged.size > stored && handled.size > done);
  const ms = Math.round(performance.now() - began);
  await end();
  await until("all is handled", () => [...acknowledged].every((id) => handled.has(id)), 60_000);
  console.log(`${acknowledged.size} acknowledged and handled; went on after ${ms} ms`);
  expect(ms).toBeLessThan(RESUMES_MS);
  expect(Math.max(...failures.map((each) => each.ms))).toBeLessThan(TIMEOUT_MS + 1_000);
}

describe.skipIf(noBinary !== "")(`a server whose disk gets full under load${noBinary}`, () => {
  test("where the tables are: publishing says so at once, it is not ready, and goes on when there is room", async (context) => {
    const disk = await smallDisk(context, 100);
    const own = await PrivateServer.start({}, { data: disk.directory, withLog: false });
    onTestFinished(() => own.dispose());
    const load = await loadOn(own);
    const { app, acknowledged, failures } = load;
    await until("work is done", () => acknowledged.size > 200);
    disk.fill();
    await until("publishing is refused", () => failures.length > 100, 60_000);
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(["ENGINE_FULL"]));
    const { status, problems } = await app.ready();
    expect([status, problems.join()]).toEqual(["down", expect.stringContaining("disk is full")]);
    disk.free();
    await resumes(load);
  }, 120_000);

  test("where its log of changes is: it stops, publishing fails by its timeout, and goes on when the server is back", async (context) => {
    const disk = await smallDisk(context, 150);
    const own = await PrivateServer.start({ max_wal_size: "64MB" }, { data: disk.directory });
    onTestFinished(() => own.dispose());
    const load = await loadOn(own);
    const { app, acknowledged, failures } = load;
    await until("work is done", () => acknowledged.size > 200);
    disk.fill();
    await until(
      "publishing is refused",
      () => failures.some(({ code }) => code === "ENGINE_UNAVAILABLE"),
      60_000,
    );
    expect((await app.ready()).status).toBe("down");
    disk.free();
    // As whoever supervises it does.
    if (own.isDown()) own.up();
    await resumes(load);
  }, 120_000);
});
