import { once } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { type App, createApp } from "../../src/app.ts";
import type { AppOptions } from "../../src/app-options.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { Fatal } from "../../src/errors.ts";
import { temporaryFolder } from "../cli/program-runs.ts";

type Registry = ReturnType<typeof createRegistry>;

const ANN = { user: "ann", roles: ["operate"] };
const LI = { ...ANN, locale: "zh-CN" };

async function start(declare: (registry: Registry) => void, options: AppOptions = {}): Promise<App> {
  const registry = createRegistry();
  declare(registry);
  const app = createApp({
    engine: "memory:",
    log: "silent",
    env: {},
    registry,
    operationCommands: true,
    ...options,
  });
  onTestFinished(() => app.stop());
  await app.start();
  return app;
}

/** A task, and an event whose handler gives up at once. */
function declare(registry: Registry): void {
  registry.timeOn("cleanup", { cron: "0 3 * * *", timezone: "Asia/Shanghai" }).execute(() => {});
  registry.on("order.paid").execute(function ship(order) {
    throw new Fatal(`cannot ship ${(order as { id: number }).id}`);
  });
}

/** Publishes orders, and waits until all of them are dead. */
async function letDie(app: App, ...orders: readonly number[]): Promise<string[]> {
  const ids: string[] = [];
  for (const id of orders) ids.push(await app.publish("order.paid", { id }));
  await vi.waitFor(async () => expect(await app.operations.countDeadLetters()).toBe(orders.length), {
    timeout: 10_000,
  });
  return ids;
}

/** What a question for confirmation wants to be repeated. */
function answerTo({ data }: Reply): string {
  return `/confirm ${(data as { token: string }).token}`;
}

test("they are there only where they are asked for, and only for the role operate", async () => {
  const without = await start(declare, { operationCommands: false });
  expect(await without.handle("/tasks", ANN)).toMatchObject({ status: "unknown" });
  const app = await start(declare);
  for (const text of [
    "/handlers",
    "/tasks",
    "/tasks run cleanup",
    "/dead",
    "/dead discard all",
    "/cancel x",
    "/health",
  ])
    expect(await app.handle(text, { user: "bob", roles: ["read", "publish"] })).toMatchObject({
      status: "denied",
    });
  expect((await app.handle("/help", { user: "bob" })).text).not.toContain("/tasks");
  expect((await app.handle("/help", ANN)).text).toContain("/tasks run <task>");
});

test("/handlers lists what is declared, in aligned columns", async () => {
  const app = await start(declare);
  const { status, text, data } = await app.handle("/handlers", ANN);
  expect(status).toBe("ok");
  expect(text.split("\n").slice(0, 3)).toEqual([
    "kind     name                   trigger",
    "time     cleanup                cron 0 3 * * * (Asia/Shanghai)",
    "event    ship                   order.paid",
  ]);
  expect(data).toEqual(app.handlers());
  expect((await app.handle("/handlers pattern", ANN)).text).toBe("No handlers are declared.");
});

test("/tasks lists the timers; run, pause and resume act on one", async () => {
  const runs: number[] = [];
  const app = await start((registry) => {
    registry.timeOn("cleanup", { cron: "0 3 * * *" }).execute(() => void runs.push(1));
  });
  expect((await app.handle("/tasks", ANN)).text).toMatch(
    /^task {5}schedule {8}next\ncleanup {2}cron 0 3 \* \* \* {2}in \d+[hms]$/,
  );
  const run = await app.handle("/tasks run cleanup", ANN);
  expect(run).toMatchObject({ status: "ok", data: { task: "cleanup", id: expect.any(String) } });
  await vi.waitFor(() => expect(runs).toHaveLength(1), { timeout: 10_000 });
  expect(await app.handle("/tasks pause cleanup", ANN)).toMatchObject({
    status: "ok",
    text: "cleanup is paused.",
  });
  expect(await app.scheduler.tasks()).toMatchObject([{ name: "cleanup", paused: true }]);
  expect((await app.handle("/tasks", LI)).text).toContain("已暂停");
  expect(await app.handle("/tasks resume cleanup", LI)).toMatchObject({
    status: "ok",
    text: "cleanup 已恢复。",
  });
  expect(await app.scheduler.tasks()).toMatchObject([{ paused: false }]);
  expect(await app.handle("/tasks run cleanpu", ANN)).toMatchObject({
    status: "invalid",
    text: 'There is no task "cleanpu". Did you mean cleanup?',
  });
});

test("/dead lists and shows; replay of one is done at once, of all and any discard only when confirmed", async () => {
  const app = await start(declare);
  expect((await app.handle("/dead", ANN)).text).toBe("There are no dead letters.");
  const [first = "", second = ""] = await letDie(app, 1, 2, 3);
  const list = await app.handle("/dead --limit=2", ANN);
  expect(list.text.split("\n")).toEqual([
    expect.stringMatching(/^id +handler +event +reason +died +error$/),
    expect.stringMatching(new RegExp(`^${first} +ship +order\\.paid +fatal +.*cannot ship 1$`)),
    expect.stringMatching(new RegExp(`^${second} +ship +order\\.paid +fatal +.*cannot ship 2$`)),
    "2 of 3, the oldest first.",
  ]);
  expect(list.data).toMatchObject({ count: 3, deadLetters: [{ id: first }, { id: second }] });
  expect((await app.handle(`/dead show ${first}`, ANN)).text).toMatch(
    /payload +\{"id":1\}\n1\. Fatal: cannot ship 1$/,
  );
  expect(await app.handle("/dead show nope", LI)).toMatchObject({
    status: "invalid",
    text: "没有死信“nope”。",
  });
  expect(await app.handle("/dead --reason=old", ANN)).toMatchObject({ status: "invalid" });

  expect(await app.handle(`/dead replay ${first}`, ANN)).toMatchObject({
    status: "ok",
    text: "1 dead letter is ready again.",
    data: { replayed: 1 },
  });
  await vi.waitFor(async () => expect(await app.operations.countDeadLetters()).toBe(3), { timeout: 10_000 });
  expect(await app.handle("/dead replay all --handler=nobody", ANN)).toMatchObject({
    status: "confirmation_needed",
  });

  const asked = await app.handle(`/dead discard ${second}`, ANN);
  expect(asked.status).toBe("confirmation_needed");
  expect(await app.operations.countDeadLetters()).toBe(3);
  expect(await app.handle(answerTo(asked), { ...ANN, user: "bob" })).toMatchObject({ status: "invalid" });
  expect(await app.handle(answerTo(asked), ANN)).toMatchObject({
    status: "ok",
    text: "1 dead letter is gone.",
  });
  expect(await app.handle(answerTo(await app.handle("/dead discard ALL", LI)), LI)).toMatchObject({
    text: "2 条死信已删除。",
    data: { discarded: 2 },
  });
  expect(await app.handle(answerTo(await app.handle("/dead discard all", ANN)), ANN)).toMatchObject({
    status: "invalid",
    text: "No dead letters fit.",
  });
});

test("/cancel reaches the replica that runs it", async () => {
  const engine = `sqlite:${await temporaryFolder()}/app.db`;
  const began = Promise.withResolvers<string>();
  const aborted = Promise.withResolvers<string>();
  const worker = await start(
    (registry) => {
      registry.on("film.render").execute(async function render(_, ctx) {
        began.resolve(ctx.id);
        await once(ctx.signal, "abort");
        aborted.resolve(ctx.id);
        ctx.signal.throwIfAborted();
      });
    },
    { engine },
  );
  const desk = await start(() => {}, { engine });
  const id = await worker.publish("film.render", {});
  await began.promise;
  expect((await desk.handle("/subscriptions", ANN)).text).toMatch(
    /render +film\.render +0 +0 +1 +0 .*not declared here/,
  );
  expect(await desk.handle(`/cancel ${id}`, ANN)).toMatchObject({
    status: "ok",
    text: "Called off: 0 waiting, 1 running.",
    data: { removed: 0, running: 1 },
  });
  expect(await aborted.promise).toBe(id);
  await vi.waitFor(async () =>
    expect(await desk.handle(`/cancel ${id}`, LI)).toMatchObject({
      status: "invalid",
      text: `没有等待或运行中的消息“${id}”。`,
    }),
  );
  const { text, data } = await desk.handle("/instances", ANN);
  expect(data).toHaveLength(2);
  expect(text.split("\n")).toHaveLength(3);
  expect(text).toContain(String(process.pid));
});

test("/health says how the app is, in both languages", async () => {
  const app = await start(declare);
  const english = await app.handle("/health", ANN);
  expect(english.data).toMatchObject({ status: "ok", engine: { name: "memory" } });
  expect(english.text.split("\n")).toEqual([
    "status     ok",
    expect.stringMatching(/^uptime {5}\d+s$/),
    expect.stringMatching(/^version {4}\d/),
    "engine     memory: (ok)",
    "scheduler  on (1 task, 0 paused)",
    "backlog    ready 0, waiting 0, running 0, dead 0",
    "instances  1",
  ]);
  expect((await app.handle("/health", LI)).text).toContain("调度器  开启 (1 个任务，0 个已暂停)");
});
