import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, test } from "vitest";
import type { AttemptError, Settlement } from "../../src/engine.ts";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import { MemoryStore } from "../../src/engines/memory/store.ts";
import { sqliteEngine } from "../../src/engines/sqlite/engine.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { HANDLERS, type Store, type Ticket, World } from "./model-world.ts";
import { LEASE } from "./queue-model.ts";

/*
 * Random sequences of calls to three replicas of an engine and to a model of it: every answer and all that can be seen
 * must be the same after each call. A failure is shrunk to a few calls and printed with its seed; to look at it again:
 *
 *   MODEL_SEED=<seed> npx vitest run test/engines/model.test.ts
 */

const REPLICAS = 3;
const RUNS = { n: 0 };
process.on("exit", () => console.error("RUNS", RUNS.n));
const SEED = process.env["MODEL_SEED"] === undefined ? {} : { seed: Number(process.env["MODEL_SEED"]) };

/** One call, as it is printed. */
interface Step {
  readonly run: (world: World) => Promise<void>;
}

function step<Args>(
  weight: number,
  name: string,
  args: fc.Arbitrary<Args>,
  run: (world: World, by: number, args: Args) => Promise<void>,
): fc.WeightedArbitrary<Step> {
  const arbitrary = fc.tuple(fc.nat(REPLICAS - 1), args).map(([by, given]) => ({
    run: (world: World) => run(world, by, given),
    toString: () => `${name} by ${by} ${JSON.stringify(given)}`,
  }));
  return { weight, arbitrary };
}

const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined });
const handler = fc.constantFrom(...HANDLERS);
const event = fc.constantFrom("a.b", "a.c", "d");
const wait = fc.constantFrom(0, -1_000, 500, 1_000, 5_000);
const task = fc.constantFrom("tick", "tock");
/** Of the latest claims, or sometimes any. */
const ticket = fc.oneof({ weight: 5, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(40) });
const letters = fc.record({
  handler: maybe(fc.constantFrom("", ...HANDLERS)),
  event: maybe(event),
  reason: maybe(fc.constantFrom("unrouted", "fatal", "exhausted")),
  limit: fc.constantFrom(undefined, 1, 2, Infinity),
});
const message = fc.record({
  event,
  priority: fc.constantFrom(0, 0, 0, 5, -5),
  wait,
  key: maybe(fc.constantFrom("k", "k", "l")),
  to: fc.constantFrom(undefined, undefined, undefined, undefined, "timer", "star", "nobody"),
  headers: maybe(fc.constant('{"tenant":"t"}')),
  expires: maybe(wait),
  dedupe: fc.option(fc.record({ key: fc.constantFrom("x", "y"), wait }), { nil: undefined, freq: 8 }),
});
const ending = fc.record({
  ticket,
  kind: fc.constantFrom("done", "done", "retry", "retry", "snooze", "dead", "dead", "release"),
  wait,
  forged: fc.constantFrom(false, false, false, false, false, true),
});

const STEPS = fc.oneof(
  step(8, "publish", fc.array(message, { minLength: 1, maxLength: 3 }), publish),
  step(
    10,
    "claim",
    fc.uniqueArray(fc.record({ handler, limit: fc.nat(3) }), {
      minLength: 1,
      selector: (want) => want.handler,
    }),
    (world, by, wants) => world.claim([by], wants),
  ),
  step(
    3,
    "claim, all at once",
    fc.record({ handler, limit: fc.integer({ min: 1, max: 2 }) }),
    (world, _, want) => world.claim([0, 1, 2], [want]),
  ),
  step(8, "settle", fc.array(ending, { minLength: 1, maxLength: 3 }), settle),
  step(1, "settle as another", ending, (world, by, one) => settleAs(world, by, [one])),
  step(
    2,
    "saveStep",
    fc.record({ ticket, name: fc.constantFrom("s", "t"), result: fc.nat(9) }),
    async (world, _, args) => {
      const { claim, by } = ticketOf(world, args.ticket) ?? {};
      if (claim && by && world.replicas.includes(by))
        await world.saveStep(world.replicas.indexOf(by), claim, args.name, args.result);
    },
  ),
  step(2, "cancel", fc.record({ item: fc.nat(40), handler: maybe(handler) }), async (world, by, args) => {
    const known = world.model.items[args.item % Math.max(1, world.model.items.length)];
    await world.cancel(by, known?.message.id ?? "unknown", args.handler);
  }),
  step(3, "replay", letters, (world, by, filter) => world.bringBack(by, filter)),
  step(1, "discard", letters, (world, by, filter) => world.discard(by, filter)),
  step(
    2,
    "list",
    fc.record({
      handler: maybe(handler),
      event: maybe(event),
      state: maybe(fc.constantFrom("ready", "waiting", "running")),
      limit: fc.constantFrom(undefined, 1, 3),
    }),
    (world, by, filter) => world.look(by, filter),
  ),
  step(
    2,
    "subscribe",
    fc.record({ handler, topic: maybe(fc.constantFrom("d", "a.**", "*.c")) }),
    (world, by, args) => world.subscribe(by, args.handler, args.topic),
  ),
  step(1, "unsubscribe", handler, (world, by, name) => world.unsubscribe(by, name)),
  step(4, "time passes", fc.constantFrom(1, 500, 1_000, 10_000, LEASE, LEASE + 1), (world, _, ms) =>
    world.pass(ms),
  ),
  step(3, "beat", fc.constant(null), (world, by) => world.beat(by)),
  step(3, "sweep", fc.constant(null), (world, by) => world.sweep(by)),
  step(1, "die and start again", fc.constant(null), (world, by) => world.join(by)),
  step(1, "stop and start again", fc.constant(null), (world, by) => world.leave(by)),
  step(
    1,
    "define",
    fc.record({ task, hash: fc.constantFrom("1", "2"), next: maybe(wait) }),
    (world, by, args) => world.define(by, args.task, args.hash, soon(world, args.next)),
  ),
  step(
    2,
    "fire",
    fc.record({ task, hash: fc.constantFrom("1", "2"), wrong: fc.nat(4), next: maybe(wait) }),
    (world, by, args) => {
      const { next = world.now, hash = args.hash } = world.model.schedules.get(args.task) ?? {};
      return args.wrong > 1
        ? world.fire(by, args.task, hash, next, soon(world, args.next))
        : world.fire(by, args.task, args.hash, next + args.wrong, soon(world, args.next));
    },
  ),
  step(1, "pause", fc.record({ task, paused: fc.boolean(), next: maybe(wait) }), (world, by, args) =>
    world.pause(by, args.task, args.paused, soon(world, args.next)),
  ),
  step(1, "remove", task, (world, by, name) => world.forget(by, name)),
);

async function publish(
  world: World,
  by: number,
  wanted: readonly (typeof message extends fc.Arbitrary<infer M> ? M : never)[],
): Promise<void> {
  const messages = wanted.map(({ wait: ms, expires, dedupe, ...fields }) =>
    world.message({
      ...fields,
      due: world.now + ms,
      expires: soon(world, expires),
      dedupe: dedupe && { key: dedupe.key, until: world.now + dedupe.wait },
    }),
  );
  await world.publish(by, messages);
}

type Ending = typeof ending extends fc.Arbitrary<infer E> ? E : never;

/** By whom holds the first of the claims, if it still lives. */
async function settle(world: World, _by: number, endings: readonly Ending[]): Promise<void> {
  const holder = ticketOf(world, endings[0]?.ticket ?? 0)?.by;
  const slot = world.replicas.findIndex((replica) => replica === holder);
  if (slot >= 0) await settleAs(world, slot, endings);
}

async function settleAs(world: World, slot: number, endings: readonly Ending[]): Promise<void> {
  const settlements = endings.flatMap((one) => {
    const held = ticketOf(world, one.ticket);
    return held ? [settlement(world, held, one)] : [];
  });
  await world.settle(slot, settlements);
}

function settlement(world: World, { claim: own }: Ticket, { kind, wait: ms, forged }: Ending): Settlement {
  const claim = forged ? { ...own, token: 987_654_321 } : own;
  const at = world.now + ms;
  const error: AttemptError = {
    attempt: own.attempt,
    at: world.now,
    name: "Error",
    message: `because of ${own.payload}`,
  };
  if (kind === "retry") return { claim, kind, at, error };
  if (kind === "snooze") return { claim, kind, at };
  if (kind === "dead")
    return { claim, kind, reason: ms > 0 ? "fatal" : "exhausted", error: ms === 0 ? undefined : error };
  return { claim, kind };
}

function ticketOf({ tickets }: World, back: number): Ticket | undefined {
  return tickets[Math.max(0, tickets.length - 1 - back)];
}

function soon(world: World, ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : world.now + ms;
}

async function follow(store: Store, steps: readonly Step[]): Promise<void> {
  const world = new World(store);
  try {
    await world.open(REPLICAS);
    for (const [at, { run }] of steps.entries()) {
      await run(world);
      await world.compare(at);
    }
    await world.drain();
  } finally {
    await world.close();
  }
}

function check(
  create: () => Store,
  options: { runs: number; seconds: number; length: number },
): Promise<void> {
  const steps = fc.array(STEPS, { maxLength: options.length, size: "max" });
  return fc.assert(
    fc.asyncProperty(steps, (chosen) => follow(create(), chosen)),
    { numRuns: options.runs, interruptAfterTimeLimit: options.seconds * 1_000, ...SEED },
  );
}

test("memory does what the model does", () => {
  const create = (): Store => {
    const store = new MemoryStore();
    return { clock: new VirtualClock(), engine: () => memoryEngine({ store }) };
  };
  return check(create, { runs: 20_000, seconds: 20, length: 60 });
});

const directory = mkdtemp(join(tmpdir(), "model-"));
afterAll(async () => rm(await directory, { recursive: true }));

test("sqlite does what the model does", async () => {
  const path = await directory;
  let files = 0;
  const create = (): Store => {
    const url = `sqlite:${join(path, `${++files}.db`)}`;
    return { clock: new VirtualClock(), engine: () => sqliteEngine(url) };
  };
  await check(create, { runs: 20_000, seconds: 40, length: 60 });
});
