import fc from "fast-check";
import type { AttemptError, Settlement } from "../../src/engine.ts";
import { HANDLERS, type Ticket, type World } from "./model-world.ts";
import { LEASE } from "./queue-model.ts";

/** How many replicas the steps are for. */
export const REPLICAS = 3;

/** One call by one replica, as it is printed. */
export interface Step {
  readonly name: string;
  readonly run: (world: World) => Promise<void>;
}

const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined, freq: 2 });
/** One handler most of the time, so that its deliveries meet. */
const handler = fc.constantFrom("exact", "exact", "exact", ...HANDLERS);
const event = fc.constantFrom("a.b", "a.b", "a.c", "d");
const wait = fc.constantFrom(0, 0, -1_000, 500, 1_000, 5_000);
const task = fc.constantFrom("tick", "tock");
const hash = fc.constantFrom("1", "2");
const nothing = fc.constant(null);

const message = fc.record({
  event,
  priority: fc.constantFrom(0, 0, 0, 5, -5),
  wait,
  key: fc.constantFrom(undefined, undefined, "k", "k", "l"),
  to: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, "timer", "star", "nobody"),
  headers: maybe(fc.constant('{"tenant":"t"}')),
  expires: maybe(wait),
  dedupe: fc.option(fc.record({ key: fc.constantFrom("x", "y"), wait }), { nil: undefined, freq: 8 }),
});
/** A claim of the latest, counted back: of those still held, or of all that there ever were. */
const ticket = fc.record({ back: fc.nat(5), old: fc.nat(7).map((draw) => draw === 7) });
const ending = fc.record({
  ticket,
  kind: fc.constantFrom("done", "retry", "retry", "snooze", "dead", "dead", "release"),
  wait,
  forged: fc.nat(9).map((draw) => draw === 9),
});
const letters = fc.record({
  handler: fc.option(fc.constantFrom("", ...HANDLERS), { nil: undefined, freq: 1 }),
  event: maybe(event),
  reason: maybe(fc.constantFrom("unrouted", "fatal", "exhausted")),
  limit: fc.constantFrom(undefined, 1, 2, Infinity),
});
const wants = fc.uniqueArray(fc.record({ handler, limit: fc.nat(3) }), {
  minLength: 1,
  maxLength: 3,
  selector: (want) => want.handler,
});
const filter = fc.record({
  handler: maybe(handler),
  event: maybe(event),
  state: maybe(fc.constantFrom("ready", "waiting", "running")),
  limit: fc.constantFrom(undefined, 1, 3),
});

type Message = typeof message extends fc.Arbitrary<infer M> ? M : never;
type Ending = typeof ending extends fc.Arbitrary<infer E> ? E : never;

// prettier-ignore
const STEPS = [
  step(8, "publish", fc.array(message, { minLength: 1, maxLength: 3 }), publish),
  step(9, "claim", wants, (world, by, wanted) => world.claim([by], wanted)),
  step(3, "claim at once", fc.record({ handler, limit: fc.integer({ min: 1, max: 2 }) }), (world, _, want) => world.claim([0, 1, 2], [want])),
  step(8, "settle", fc.array(ending, { minLength: 1, maxLength: 3 }), settle),
  step(1, "settle another's", ending, (world, by, one) => settleAs(world, by, [one])),
  step(2, "save a step", fc.record({ ticket, name: fc.constantFrom("s", "t"), result: fc.nat(9) }), async (world, by, args) => {
    const held = ticketOf(world, args.ticket);
    if (held) await world.saveStep(slotOf(world, held) ?? by, held.claim, args.name, args.result);
  }),
  step(4, "cancel", fc.record({ back: fc.nat(5), handler: fc.option(handler, { nil: undefined, freq: 1 }) }), (world, by, args) =>
    world.cancel(by, world.model.items.at(-1 - args.back)?.message.id ?? "unknown", args.handler)),
  step(4, "replay", letters, (world, by, which) => world.bringBack(by, which)),
  step(1, "discard", letters, (world, by, which) => world.discard(by, which)),
  step(2, "list", filter, (world, by, which) => world.look(by, which)),
  step(2, "subscribe", fc.record({ handler, topic: maybe(fc.constantFrom("d", "a.**", "*.c")) }), (world, by, args) => world.subscribe(by, args.handler, args.topic)),
  step(2, "unsubscribe", handler, (world, by, name) => world.unsubscribe(by, name)),
  step(4, "time passes", fc.constantFrom(1, 500, 1_000, 10_000, LEASE, LEASE + 1), (world, _, ms) => world.pass(ms)),
  step(3, "beat", nothing, (world, by) => world.beat(by)),
  step(3, "sweep", nothing, (world, by) => world.sweep(by)),
  step(1, "die and start again", nothing, (world, by) => world.join(by)),
  step(1, "stop and start again", nothing, (world, by) => world.leave(by)),
  step(1, "define", fc.record({ task, hash, next: maybe(wait) }), (world, by, args) => world.define(by, args.task, args.hash, nextOf(world, args))),
  step(2, "fire", fc.record({ task, hash, wrong: fc.nat(4), next: maybe(wait) }), (world, by, args) => {
    const stored = world.model.schedules.get(args.task);
    const tick = stored?.next ?? world.now;
    if (args.wrong > 1) return world.fire(by, args.task, stored?.hash ?? args.hash, tick, nextOf(world, args));
    return world.fire(by, args.task, args.hash, tick + args.wrong, nextOf(world, args));
  }),
  step(1, "pause", fc.record({ task, paused: fc.boolean(), next: maybe(wait) }), (world, by, args) => world.pause(by, args.task, args.paused, nextOf(world, args))),
  step(1, "remove", task, (world, by, name) => world.forget(by, name)),
];

const ALWAYS = ["publish", "claim", "settle"];
const OPTIONAL = STEPS.map(({ name }) => name).filter((name) => !ALWAYS.includes(name));
/** What messages may have. Without keyless ones, all have the same key. */
const FEATURES = ["waits", "priorities", "dedupe", "targets", "keyless"];

/** A sequence of calls. */
export interface Sequence {
  /** Kinds of calls and features of messages that do not come up in it. */
  readonly without: readonly string[];
  readonly steps: readonly Step[];
}

/**
 * Each sequence does without some kinds of calls and features, so that the others meet more often: what needs five of a
 * kind in a row would hardly ever happen otherwise.
 */
export function sequences(longest: number): fc.Arbitrary<Sequence> {
  const steps = fc.array(fc.oneof(...STEPS.map(({ weighted }) => weighted)), {
    maxLength: longest,
    size: "max",
  });
  return fc.tuple(fc.subarray([...OPTIONAL, ...FEATURES]), steps).map(([without, all]) => ({
    without: without.filter((name) => FEATURES.includes(name)),
    steps: all.filter(({ name }) => !without.includes(name)),
  }));
}

function step<Args>(
  weight: number,
  name: string,
  args: fc.Arbitrary<Args>,
  run: (world: World, by: number, args: Args) => Promise<void>,
): { readonly name: string; readonly weighted: fc.WeightedArbitrary<Step> } {
  const arbitrary = fc.tuple(fc.nat(REPLICAS - 1), args).map(([by, given]) => ({
    name,
    run: (world: World) => run(world, by, given),
    toString: () => `${name} by ${by} ${JSON.stringify(given)}`,
  }));
  return { name, weighted: { weight, arbitrary } };
}

async function publish(world: World, by: number, wanted: readonly Message[]): Promise<void> {
  const messages = wanted.map(({ wait: ms, priority, key, to, expires, dedupe, ...fields }) =>
    world.message({
      ...fields,
      priority: world.has("priorities") ? priority : 0,
      due: soon(world, ms),
      key: world.has("keyless") ? key : "k",
      to: world.has("targets") ? to : undefined,
      expires: expires === undefined ? undefined : soon(world, expires),
      dedupe:
        dedupe && world.has("dedupe") ? { key: dedupe.key, until: soon(world, dedupe.wait) } : undefined,
    }),
  );
  await world.publish(by, messages);
}

/** By whom has the first of the claims, if it still lives. */
async function settle(world: World, _by: number, endings: readonly Ending[]): Promise<void> {
  const [first] = endings;
  const held = first && ticketOf(world, first.ticket);
  const slot = held && slotOf(world, held);
  if (slot !== undefined) await settleAs(world, slot, endings);
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
  const at = soon(world, ms);
  const error: AttemptError = {
    attempt: own.attempt,
    at,
    name: "Error",
    message: `because of ${own.payload}`,
  };
  if (kind === "retry") return { claim, kind, at, error };
  if (kind === "snooze") return { claim, kind, at };
  if (kind !== "dead") return { claim, kind };
  return { claim, kind, reason: ms > 0 ? "fatal" : "exhausted", error: ms === 0 ? undefined : error };
}

function ticketOf(
  { tickets, model }: World,
  { back, old }: { back: number; old: boolean },
): Ticket | undefined {
  const among = old ? tickets : tickets.filter(({ claim, by }) => model.held(by.id, claim.token));
  return among.at(-1 - (back % Math.max(1, among.length)));
}

/** Where its holder sits; undefined when it is dead. */
function slotOf({ replicas }: World, { by }: Ticket): number | undefined {
  const slot = replicas.indexOf(by);
  return slot < 0 ? undefined : slot;
}

function soon(world: World, ms: number): number {
  return world.now + (world.has("waits") ? ms : 0);
}

function nextOf(world: World, { next }: { next: number | undefined }): number | undefined {
  return next === undefined ? undefined : soon(world, next);
}
