/*
 * An engine with its replicas and the model beside it. Each call goes to both, and their answers are compared; so is, after
 * each, everything that can be seen of the engine.
 */

import { strict as assert } from "node:assert";
import type { AttemptError, Claim, Engine, NewMessage, Settlement, Want } from "../../src/engine.ts";
import type { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { type Item, LEASE, type Letter, QueueModel } from "./queue-model.ts";

/** A new, empty store. */
export interface Store {
  readonly clock: VirtualClock;
  readonly engine: () => Engine;
}

/** One start of an engine. */
export interface Replica {
  readonly id: string;
  readonly engine: Engine;
}

/** A claim that was once given out, to whom. */
export interface Ticket {
  readonly claim: Claim;
  readonly by: Replica;
}

export const HANDLERS = ["exact", "star", "deep", "timer"] as const;
const TOPICS = { exact: "a.b", star: "a.*", deep: "**", timer: undefined };

export class World {
  readonly model = new QueueModel();
  readonly replicas: Replica[] = [];
  readonly tickets: Ticket[] = [];
  readonly #store: Store;
  readonly #all: Engine[] = [];
  readonly #tokens = new Set<unknown>();
  /** Payloads of those that came back from the dead letters, which may come before what was claimed already. */
  readonly #replayed = new Set<string>();
  readonly #without: readonly string[];
  #messages = 0;

  /** @param without What messages of this world do not have. */
  constructor(store: Store, without: readonly string[]) {
    this.#store = store;
    this.#without = without;
  }

  has(feature: string): boolean {
    return !this.#without.includes(feature);
  }

  get now(): number {
    return this.model.now;
  }

  async open(replicas: number): Promise<void> {
    this.model.now = this.#store.clock.now();
    for (let slot = 0; slot < replicas; slot++) await this.join(slot);
    await this.subscribe(0, "exact", TOPICS.exact);
    await this.subscribe(1, "star", TOPICS.star);
    await this.subscribe(2, "timer", TOPICS.timer);
  }

  /** Starts a new incarnation in a slot; whoever sat there is forgotten without a word. */
  async join(slot: number): Promise<void> {
    const engine = this.#store.engine();
    const id = `replica-${this.#all.push(engine)}`;
    const instance = { id, host: "test", pid: process.pid, version: "0", startedAt: this.now };
    await engine.start({ clock: this.#store.clock, instance, lease: LEASE });
    this.model.beat(id);
    this.replicas[slot] = { id, engine };
    // An engine may sweep when it starts; so all do.
    await engine.presence.sweep();
    this.model.sweep(id);
  }

  async leave(slot: number): Promise<void> {
    const { engine, id } = this.at(slot);
    await engine.stop();
    this.model.stop(id);
    await this.join(slot);
  }

  async pass(ms: number): Promise<void> {
    await this.#store.clock.advance(ms);
    this.model.now += ms;
  }

  async beat(slot: number): Promise<void> {
    const { engine, id } = this.at(slot);
    assert.equal(await engine.presence.beat(), this.model.beat(id), "beat");
  }

  async sweep(slot: number): Promise<void> {
    const { engine, id } = this.at(slot);
    assert.equal(await engine.presence.sweep(), this.model.sweep(id), "sweep");
  }

  async subscribe(slot: number, handler: keyof typeof TOPICS, topic = TOPICS[handler]): Promise<void> {
    await this.at(slot).engine.queue.subscribe([{ handler, topic }]);
    this.model.subscribe(handler, topic);
  }

  async unsubscribe(slot: number, handler: string): Promise<void> {
    const answer = await this.at(slot).engine.queue.unsubscribe(handler);
    assert.equal(answer, this.model.unsubscribe(handler), "unsubscribe");
  }

  /** Payloads are unique, and rise with the order of publishing. */
  message(fields: Omit<NewMessage, "payload">): NewMessage {
    return { ...fields, payload: String(++this.#messages) };
  }

  async publish(slot: number, messages: readonly NewMessage[]): Promise<void> {
    const answers = await this.at(slot).engine.queue.publish(messages);
    assert.deepEqual(
      answers,
      this.model.publish(
        messages,
        answers.map(({ id }) => id),
      ),
      "publish",
    );
  }

  /** Several replicas claim at the same time. What each gets is not said; what they get together is. */
  async claim(slots: readonly number[], wants: readonly Want[]): Promise<void> {
    const askers = [...new Set(slots.map((slot) => this.at(slot)))];
    const entitled = askers.filter(({ id }) => this.model.alive.has(id)).length;
    const expected = wants.flatMap(({ handler, limit }) =>
      this.model.ready(handler).slice(0, limit * entitled),
    );
    const answers = await Promise.all(askers.map(({ engine }) => engine.queue.claim(wants)));
    const found = answers.flatMap(({ claims }) => claims.map(nameOf));
    if (askers.length === 1) assert.deepEqual(found, expected.map(nameOf), "claim, in order");
    else assert.deepEqual(found.sort(), expected.map(nameOf).sort(), "claim at the same time");
    answers.forEach(({ claims }, at) => {
      for (const claim of claims) this.#took(askers[at] as Replica, claim, expected);
    });
    answers.forEach(({ nextDue }, at) => {
      if (this.model.alive.has(askers[at]?.id ?? "")) this.#checkNextDue(nextDue, wants);
    });
  }

  #took(by: Replica, claim: Claim, expected: readonly Item[]): void {
    const item = expected.find((one) => nameOf(one) === nameOf(claim));
    assert.ok(item && !item.holder, "a delivery is given to one");
    assert.ok(!this.#tokens.has(claim.token), "a token is given once");
    this.#tokens.add(claim.token);
    this.#checkOrder(item);
    this.model.take(item, by.id, claim.token);
    // The engine's own handles are its affair.
    const handles = { seq: 0, token: 0 };
    assert.deepEqual(
      readable({ ...claim, ...handles }),
      { ...claimOf(item), ...handles },
      "what a claim holds",
    );
    this.tickets.push({ claim, by });
  }

  /** None of a key is claimed while an older one of it is there, save one that came back. */
  #checkOrder({ handler, message }: Item): void {
    if (message.key === undefined) return;
    for (const other of this.model.items) {
      if (other.handler !== handler || other.message.key !== message.key || other.message === message)
        continue;
      assert.ok(!other.holder, "two of a key never run together");
      if (this.#replayed.has(other.message.payload)) continue;
      assert.ok(other.message.order > message.order, "those of a key come in the order published");
    }
  }

  #checkNextDue(nextDue: number | undefined, wants: readonly Want[]): void {
    const late = this.model.items.filter((item) => item.first && !item.holder && item.due > this.now);
    const wanted = late.filter(({ handler }) => wants.some((want) => want.handler === handler));
    const latest = Math.min(...wanted.map(({ due }) => due));
    assert.ok((nextDue ?? Infinity) <= latest, "nextDue is not too late");
    assert.ok(nextDue === undefined || late.some(({ due }) => due === nextDue), "nextDue is somebody's");
  }

  /** Settles several claims in one call. */
  async settle(slot: number, settlements: readonly Settlement[]): Promise<void> {
    const { engine, id } = this.at(slot);
    const answers = await engine.queue.settle(settlements);
    const expected = settlements.map((one) => this.model.settle(this.model.held(id, one.claim.token), one));
    assert.deepEqual(answers, expected, "settle");
  }

  async saveStep(slot: number, claim: Claim, name: string, result: number): Promise<void> {
    const { engine, id } = this.at(slot);
    const item = this.model.held(id, claim.token);
    const saved = await engine.queue.saveStep(claim, name, String(result));
    assert.equal(saved, item !== undefined, "saveStep");
    if (item) item.steps = { ...item.steps, [name]: result };
  }

  async cancel(slot: number, id: string, handler: string | undefined): Promise<void> {
    const answer = await this.at(slot).engine.queue.cancel(id, handler);
    assert.equal(answer, this.model.cancel(id, handler), "cancel");
  }

  async bringBack(slot: number, filter: Parameters<QueueModel["replay"]>[0]): Promise<void> {
    for (const { message } of this.model.letters) this.#replayed.add(message.payload);
    assert.equal(await this.at(slot).engine.deadLetters.replay(filter), this.model.replay(filter), "replay");
  }

  async discard(slot: number, filter: Parameters<QueueModel["discard"]>[0]): Promise<void> {
    assert.equal(
      await this.at(slot).engine.deadLetters.discard(filter),
      this.model.discard(filter),
      "discard",
    );
  }

  async define(slot: number, task: string, hash: string, next: number | undefined): Promise<void> {
    const stored = await this.at(slot).engine.schedules.define({ task, hash, definition: hash, next });
    assert.deepEqual(stored, this.model.define(task, hash, next), "define");
  }

  async fire(
    slot: number,
    task: string,
    hash: string,
    tick: number,
    next: number | undefined,
  ): Promise<void> {
    const { engine } = this.at(slot);
    const message = this.message({ event: task, priority: 0, due: tick, to: "timer" });
    const may = this.model.mayFire(task, hash, tick);
    assert.equal(await engine.schedules.fire(task, hash, tick, next, [message]), may, "fire");
    if (!may) return;
    this.model.change(task, {
      next,
      lastTick: tick,
      fired: (this.model.schedules.get(task)?.fired ?? 0) + 1,
    });
    const stored = [
      ...(await engine.queue.list({ limit: Infinity })),
      ...(await engine.deadLetters.list({ limit: Infinity })),
    ];
    this.model.publish(
      [message],
      [stored.find(({ payload }) => payload === message.payload)?.id ?? "not stored"],
    );
  }

  async pause(slot: number, task: string, paused: boolean, next: number | undefined): Promise<void> {
    const answer = await this.at(slot).engine.schedules.pause(task, paused, next);
    assert.equal(
      answer,
      this.model.change(task, paused || next === undefined ? { paused } : { paused, next }),
      "pause",
    );
  }

  async forget(slot: number, task: string): Promise<void> {
    assert.equal(
      await this.at(slot).engine.schedules.remove(task),
      this.model.schedules.delete(task),
      "remove",
    );
  }

  /** Compares all that one replica shows with the model. */
  async compare(slot: number): Promise<void> {
    const { engine } = this.at(slot);
    const [listed, letters, subscriptions, instances, schedules] = await Promise.all([
      engine.queue.list({ limit: Infinity }),
      engine.deadLetters.list({ limit: Infinity }),
      engine.queue.subscriptions(),
      engine.presence.instances(),
      engine.schedules.list(),
    ]);
    const items = [...this.model.items].sort((a, b) => a.message.order - b.message.order);
    assert.deepEqual(
      listed.map(({ id }) => id),
      items.map(({ message }) => message.id),
      "list, oldest first",
    );
    assert.deepEqual(
      byName(listed.map(readable)),
      byName(items.map((item) => this.#infoOf(item))),
      "deliveries",
    );
    assert.deepEqual(letters.map(readable), this.model.letters.map(letterOf), "dead letters, oldest first");
    assert.deepEqual(byName(subscriptions), byName(this.#subscriptions()), "subscriptions");
    assert.deepEqual(
      byName(instances.map(({ id, lastSeen, running }) => ({ id, lastSeen, running }))),
      byName(this.#instances()),
      "instances",
    );
    assert.deepEqual(byName(schedules), byName([...this.model.schedules.values()]), "schedules");
  }

  /** A few that fit a filter. */
  async look(slot: number, filter: Parameters<Engine["queue"]["list"]>[0]): Promise<void> {
    const { queue } = this.at(slot).engine;
    const { handler, event, state, limit = 100 } = filter;
    const items = this.model.items.filter(
      (item) =>
        (handler ?? item.handler) === item.handler &&
        (event ?? item.message.event) === item.message.event &&
        (state ?? this.model.stateOf(item)) === this.model.stateOf(item),
    );
    const ids = items.sort((a, b) => a.message.order - b.message.order).map(({ message }) => message.id);
    assert.deepEqual(
      (await queue.list(filter)).map(({ id }) => id),
      ids.slice(0, limit),
      "list, filtered",
    );
    const id = ids[0] ?? "unknown";
    const found = this.model.items.filter(({ message }) => message.id === id);
    assert.deepEqual(
      byName((await queue.find(id)).map(readable)),
      byName(found.map((item) => this.#infoOf(item))),
      "find",
    );
  }

  /** In the end everything that is left can be claimed and done, once each: nothing is stuck. */
  async drain(): Promise<void> {
    await this.pass(2 * LEASE);
    await this.join(0);
    const owed = this.model.items.length;
    let done = 0;
    for (let found = -1; found !== 0;) {
      found = this.tickets.length;
      await this.claim(
        [0],
        HANDLERS.map((handler) => ({ handler, limit: 100 })),
      );
      const fresh = this.tickets.slice(found);
      await this.settle(
        0,
        fresh.map(({ claim }) => ({ claim, kind: "done" })),
      );
      done += found = fresh.length;
    }
    assert.equal(done, owed, "each was done once");
    await this.compare(0);
  }

  /** Leaves the store as it was, for the next world. */
  async clear(): Promise<void> {
    for (const handler of HANDLERS) await this.unsubscribe(0, handler);
    for (const task of this.model.schedules.keys()) await this.forget(0, task);
    await this.discard(0, { limit: Infinity });
    await this.compare(0);
  }

  async close(): Promise<void> {
    for (const engine of this.#all) await engine.stop();
  }

  at(slot: number): Replica {
    return this.replicas[slot % this.replicas.length] as Replica; // a world has replicas
  }

  #infoOf(item: Item): object {
    return { ...claimOf(item), due: item.due, state: this.model.stateOf(item), holder: item.holder };
  }

  #subscriptions(): object[] {
    const active = [...this.model.subscriptions].filter(([, subscription]) => subscription.active);
    return active.map(([handler, { topic }]) => {
      const own = this.model.items.filter((item) => item.handler === handler);
      const states = Object.groupBy(own, (item) => this.model.stateOf(item));
      const published = states.ready?.map(({ message }) => message.publishedAt);
      return {
        handler,
        topic,
        ready: states.ready?.length ?? 0,
        waiting: states.waiting?.length ?? 0,
        running: states.running?.length ?? 0,
        dead: this.model.matching({ handler }).length,
        oldest: published && Math.min(...published),
      };
    });
  }

  #instances(): object[] {
    return [...this.model.alive].map(([id, lastSeen]) => {
      return { id, lastSeen, running: this.model.items.filter(({ holder }) => holder === id).length };
    });
  }
}

/** A delivery's name, the same in the engine and in the model. */
function nameOf(one: Item | Claim): string {
  return `${one.handler} ${"message" in one ? one.message.id : one.id}`;
}

function claimOf(item: Item) {
  const { due, expires } = item.message;
  return { ...fieldsOf(item), due, expires };
}

function letterOf(letter: Letter): object {
  return { ...fieldsOf(letter), diedAt: letter.diedAt, reason: letter.reason };
}

/** What a delivery keeps when it dies. */
function fieldsOf({ message, handler, attempt, steps, errors }: Pick<Item, keyof Letter & keyof Item>) {
  const { id, event, payload, headers, priority, key, publishedAt } = message;
  return { id, handler, event, payload, headers, attempt, priority, key, publishedAt, steps, errors };
}

/** Texts of steps and errors read, so that their spelling is left to the engine. */
function readable<T extends { steps: string | undefined; errors: string | undefined }>(shown: T): object {
  const steps = JSON.parse(shown.steps ?? "{}") as object; // both written by engines from what the test gave them
  const errors = JSON.parse(shown.errors ?? "[]") as AttemptError[];
  return { ...shown, steps, errors };
}

/** In an order that does not depend on the engine. */
function byName(shown: readonly object[]): object[] {
  const name = (one: object) =>
    ["handler", "id", "task"].map((field) => String(Reflect.get(one, field))).join(" ");
  return [...shown].sort((a, b) => (name(a) < name(b) ? -1 : 1));
}
