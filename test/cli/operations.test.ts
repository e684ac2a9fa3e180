import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type App, createApp } from "../../src/app.ts";
import { localOperating, type Operating } from "../../src/cli/operating.ts";
import { Remote } from "../../src/cli/remote.ts";
import { RemoteOperating } from "../../src/cli/remote-operating.ts";
import { overCli, overHttp } from "./operating-ways.ts";
import { cli, errorIn, fixture, type Program, startCli, temporaryFolder, until } from "./program-runs.ts";
import "./fixtures/operated.ts";

const FILE = fixture("operated.ts");

interface World {
  /** Runs the handlers. */
  readonly running: Program;
  readonly url: string;
  /** An app in this process on the same file: publishes, looks, and handles nothing. */
  readonly app: App;
  readonly cwd: string;
  readonly env: Record<string, string>;
}

/** The app of the fixture, running in a process of its own on one file. */
async function world(): Promise<World> {
  const cwd = await temporaryFolder();
  const env = { ENGINE_URL: `sqlite:${join(cwd, "app.db")}`, LOG_LEVEL: "warn", LOG_FORMAT: "pretty" };
  const running = await startCli(["start", FILE], { cwd, env });
  const app = createApp({ engine: env.ENGINE_URL, log: "silent", env: {} });
  onTestFinished(() => app.stop());
  const url = await running.url();
  await app.start({ consume: false });
  return { running, url, app, cwd, env };
}

/** How often a lookup must be repeated until it is so, at the most, is a matter of time. */
function settled(ask: () => Promise<boolean>, what: string): Promise<true> {
  return until(
    async () => ((await ask()) ? true : undefined),
    () => what,
  );
}

function deadCount(app: App, count: number): Promise<true> {
  return settled(async () => (await app.operations.countDeadLetters()) === count, `${count} dead letters`);
}

/**
 * What operators do, from the first look to the last. It is the same in code, over HTTP and with the program, so that
 * whoever knows one knows all.
 */
async function scenario(ways: Operating, { app, running }: World): Promise<void> {
  const ids = await app.publishAll(["a", "b", "c"].map((id) => ({ event: "order.paid", payload: { id } })));
  await deadCount(app, 3);
  const dead = await ways.deadLetters({ handler: "ship", limit: 10 });
  expect(dead).toMatchObject([
    {
      id: ids[0],
      handler: "ship",
      event: "order.paid",
      payload: { id: "a" },
      reason: "exhausted",
      attempt: 1,
    },
    { id: ids[1], errors: [{ attempt: 1, message: "no address for b" }] },
    { id: ids[2], steps: {}, headers: {} },
  ]);
  expect(await ways.deadLetters({ id: ids[1] })).toEqual([dead[1]]);
  expect(await ways.replay({ id: ids[1] })).toBe(1);
  await deadCount(app, 2);
  expect(await ways.replay({ handler: "ship" }, { rate: { limit: 1, per: "10ms" } })).toBe(2);
  await deadCount(app, 0);
  await app.publish("order.paid", { id: "d", lost: true });
  await deadCount(app, 1);
  expect(await ways.countDeadLetters({ reason: "exhausted" })).toBe(1);
  expect(await ways.discard({ event: "order.paid" })).toBe(1);
  expect(await app.operations.countDeadLetters()).toBe(0);

  const later = await app.publish("order.paid", { id: "e" }, { delay: "1h", key: "k" });
  expect(await ways.messages({ state: "waiting" })).toMatchObject([
    { id: later, key: "k", payload: { id: "e" } },
  ]);
  expect(await ways.message(later)).toMatchObject({
    id: later,
    deliveries: [{ handler: "ship" }],
    deadLetters: [],
  });
  expect(await ways.cancel(later)).toEqual({ removed: 1, running: 0 });
  expect(await ways.message(later)).toBeUndefined();
  const held = await app.publish("order.held", {});
  const isRunning = async () => (await app.operations.message(held))?.deliveries[0]?.state === "running";
  await settled(isRunning, "running");
  expect(await ways.cancel(held)).toEqual({ removed: 0, running: 1 });
  await settled(async () => (await app.operations.message(held)) === undefined, "cancelled");

  await app.engine.queue.subscribe([{ handler: "old", topic: "order.*" }]);
  expect(await ways.subscriptions()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ handler: "ship", topic: "order.paid", ready: 0, handledHere: true }),
      expect.objectContaining({ handler: "old", topic: "order.*", handledHere: false }),
    ]),
  );
  expect(await ways.problems()).toMatchObject([{ kind: "subscription", name: "old" }]);
  expect(await ways.unsubscribe("old")).toBe(true);
  expect(await ways.unsubscribe("old")).toBe(false);
  await expect(ways.unsubscribe("ship")).rejects.toMatchObject({ code: "SUBSCRIPTION_IN_USE" });
  expect((await ways.instances()).map(({ pid }) => pid)).toContain(running.child.pid);

  const report = async () => (await ways.tasks()).find(({ name }) => name === "report");
  await ways.pauseTask("report", true);
  expect(await report()).toMatchObject({ paused: true, definition: { every: 31_536_000_000 } });
  await ways.pauseTask("report", false);
  expect(await report()).toMatchObject({ paused: false });
  const run = await ways.runTask("report");
  await settled(async () => (await app.operations.message(run)) === undefined, "the report");
  await expect(ways.runTask("reprot")).rejects.toMatchObject({ code: "TASK_UNKNOWN" });
}

describe("the same", () => {
  test("in code", async () => {
    const here = await world();
    await scenario(localOperating(here.app), here);
  });

  test("over HTTP", async () => {
    const here = await world();
    await scenario(overHttp(here.url), here);
  });

  test("with the program on the app's file", { timeout: 120_000 }, async () => {
    const here = await world();
    await scenario(overCli([FILE], here), here);
  });

  test("with what the program asks the running app with", async () => {
    const here = await world();
    await scenario(new RemoteOperating(new Remote(here.url, {})), here);
  });
});

describe("for people", () => {
  const run = (here: World, ...args: string[]) => cli(args, here);
  const lines = ({ stdout }: { stdout: string }) => stdout.trimEnd().split("\n");

  test("lists are tables with ages and last errors, also of the running app; what is empty says so", async () => {
    const here = await world();
    const at = ["--url", here.url];
    const [dead, waiting, schedules, subscriptions, instances] = await Promise.all([
      run(here, "dead-letters", "list", ...at),
      run(here, "messages", "list", ...at),
      run(here, "schedules", "list", ...at),
      run(here, "subscriptions", "list", FILE),
      run(here, "instances", FILE),
    ]);
    expect([dead, waiting].map(({ stdout }) => stdout)).toEqual([
      "No dead letters.\n",
      "No messages wait or run.\n",
    ]);
    expect(lines(schedules)[0]).toMatch(/^TASK +SCHEDULE +SCOPE +NEXT +LAST TICK +LAST SUCCESS +NOTE$/);
    expect(lines(schedules)[1]).toMatch(/^report +every 365d +cluster +in \d+[dh] +-/);
    expect(subscriptions.stdout).toMatch(/^ship +order\.paid +0 +0 +0 +0 +- +yes$/m);
    expect(lines(instances)[0]).toMatch(/^ID +HOST +PID +VERSION +STARTED +LAST SEEN +RUNNING$/);
    expect(instances.stdout).toContain(` ${here.running.child.pid} `);

    await here.app.publish("order.paid", { id: "\u001b[31mred\nline" });
    const later = await here.app.publish("order.paid", { id: "x" }, { delay: "90m" });
    await deadCount(here.app, 1);
    const [one, two] = await Promise.all([
      run(here, "dead-letters", "list", FILE),
      run(here, "messages", "list", ...at, "--limit", "1"),
    ]);
    expect(lines(one)[1]).toMatch(
      / ship +order\.paid +exhausted +1 +\d+s ago +no address for \ufffd\[31mred line$/,
    );
    expect(two.stdout).toContain(`${later}  ship     order.paid  waiting  0        `);
    expect(two.stdout).toContain("in 1h");
    expect(two.stdout).toContain("The oldest 1. --limit shows more.");
  });

  test("show prints payload, headers, and every attempt's error with its stack", async () => {
    const here = await world();
    const id = await here.app.publish("order.paid", { id: "a" }, { headers: { tenant: "acme" }, key: "k" });
    await deadCount(here.app, 1);
    const [dead, message] = await Promise.all([
      run(here, "dead-letters", "show", FILE, id),
      run(here, "messages", "show", "--url", here.url, id),
    ]);
    const ageless = ({ stdout }: { stdout: string }) => stdout.replaceAll(/\d+s ago/g, "…");
    expect(ageless(dead)).toBe(ageless(message));
    expect(lines(dead)[0]).toBe(`message ${id}`);
    expect(dead.stdout).toMatch(/^ {2}event +order\.paid$/m);
    expect(dead.stdout).toMatch(/^ {2}published +\d{4}-\d\d-\d\dT[\d:.]+Z \(\d+s ago\)$/m);
    expect(dead.stdout).toMatch(/^ {2}tenant +acme$/m);
    expect(dead.stdout).toContain('payload\n  {\n    "id": "a"\n  }\n');
    expect(dead.stdout).toMatch(/^for ship\n {2}state +dead: exhausted$/m);
    expect(dead.stdout).toMatch(/^attempt 1 failed .*\n {2}Error: no address for a\n {6}at .*operated\.ts:/m);
  });

  test("acting says what was done", async () => {
    const here = await world();
    const ids = await here.app.publishAll(
      ["a", "b", "c"].map((id) => ({ event: "order.paid", payload: { id } })),
    );
    await deadCount(here.app, 3);
    const replayed = await run(here, "dead-letters", "replay", "--url", here.url, ids[0] ?? "");
    expect(replayed.stdout).toBe("1 dead letter made ready again\n");
    const discarded = await run(here, "dead-letters", "discard", FILE, "--all", "--limit", "5", "--yes");
    expect(discarded.stdout).toBe("2 dead letters discarded\n");
    const paused = await run(here, "schedules", "pause", FILE, "report");
    expect(paused.stdout).toBe("report is paused\n");
    const cancelled = await run(here, "cancel", FILE, ids[0] ?? "");
    expect([cancelled.code, cancelled.stdout]).toEqual([0, `Nothing of ${ids[0]} waited or ran.\n`]);
  });
});

describe("wrong use ends with 2", () => {
  test.each([
    ["FILTER_MISSING", ["dead-letters", "replay", FILE]],
    ["CONFIRMATION_NEEDED", ["dead-letters", "discard", FILE, "--all"]],
    ["CONFIRMATION_NEEDED", ["subscriptions", "remove", FILE, "old"]],
    ["DEAD_LETTER_UNKNOWN", ["dead-letters", "replay", FILE, "nothing"]],
    ["DEAD_LETTER_UNKNOWN", ["dead-letters", "show", FILE, "nothing"]],
    ["MESSAGE_UNKNOWN", ["messages", "show", FILE, "nothing"]],
    ["SUBSCRIPTION_UNKNOWN", ["subscriptions", "remove", FILE, "old", "--yes"]],
    ["SUBSCRIPTION_IN_USE", ["subscriptions", "remove", FILE, "ship", "--yes"]],
    ["TASK_UNKNOWN", ["schedules", "run", FILE, "reprot"]],
    ["RATE_INVALID", ["dead-letters", "replay", FILE, "--all", "--rate", "fast"]],
    ["DURATION_INVALID", ["dead-letters", "replay", FILE, "--all", "--rate", "1/soon"]],
    ["NUMBER_INVALID", ["dead-letters", "list", FILE, "--limit", "none"]],
    ["INVALID_ARGUMENT", ["dead-letters", "list", FILE, "--reason", "tired"]],
    ["MISSING_ARGUMENT", ["cancel", FILE]],
    ["EXCESS_ARGUMENTS", ["instances", FILE, "more"]],
    ["UNKNOWN_COMMAND", ["dead-letters", "lst", FILE]],
  ])("%s: %j", async (code, args) => {
    const ended = await cli([...args, "--json"]);
    expect([ended.code, errorIn(ended).code]).toEqual([2, code]);
  });

  test("an engine that is not shared has nothing for another process", async () => {
    const ended = await cli(["dead-letters", "list", FILE, "--json"], { env: { ENGINE_URL: "memory:" } });
    expect([ended.code, errorIn(ended).code]).toEqual([2, "ENGINE_NOT_SHARED"]);
    expect(errorIn(ended).message).toContain("--url");
  });
});
