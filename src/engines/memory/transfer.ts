import type { Seal, StoredDelivery, StoredLimit, StoredRecord, Transfer } from "../../engine-transfer.ts";
import { Delivery, type Message } from "./delivery.ts";
import type { Seat } from "./seat.ts";
import type { MemoryStore } from "./store.ts";
import type { UseWindows } from "./use-windows.ts";

const PIECE = 1_000;

/** Carries over all that a store holds. */
export class MemoryTransfer implements Transfer {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async *dump(): AsyncGenerator<readonly StoredRecord[], void> {
    const all = [...recordsOf(this.#seat.store)];
    for (let at = 0; at < all.length; at += PIECE) yield all.slice(at, at + PIECE);
  }

  async load(records: readonly StoredRecord[]): Promise<void> {
    const { store } = this.#seat;
    let last: Message | undefined;
    for (const record of records) {
      if (record.kind === "delivery") last = loadDelivery(store, record, last);
      else loadRecord(store, record);
    }
  }

  async isEmpty(): Promise<boolean> {
    return recordsOf(this.#seat.store).next().done === true;
  }

  async clear(): Promise<void> {
    const { store } = this.#seat;
    for (const handler of store.backlogs.keys()) store.unsubscribe(handler);
    for (const member of store.members.values()) {
      for (const delivery of member.held.values()) store.remove(delivery);
      member.held.clear();
    }
    for (const dead of store.dead.matching({})) store.dead.remove(dead);
    for (const uses of [store.uses, store.hits]) for (const { key } of uses.values()) uses.clear(key);
    store.dedupe.clear();
    store.schedules.clear();
    store.runs.clear();
    store.facts.clear();
  }

  async seal(seal: Seal): Promise<void> {
    this.#seat.store.seal = JSON.stringify(seal);
  }

  async sealed(): Promise<Seal | undefined> {
    const { seal } = this.#seat.store;
    return seal === undefined ? undefined : (JSON.parse(seal) as Seal); // as it was given
  }

  async unseal(): Promise<void> {
    this.#seat.store.seal = undefined;
  }
}

function* recordsOf(store: MemoryStore): Generator<StoredRecord, void> {
  for (const { handler, topic } of store.backlogs.values()) yield { kind: "subscription", handler, topic };
  const deliveries = [...store.deliveries.values()].flat();
  for (const delivery of deliveries.sort((a, b) => a.message.seq - b.message.seq)) {
    if (!delivery.backlog.removed) yield { kind: "delivery", ...storedDelivery(delivery) };
  }
  for (const { letter, message } of store.dead.matching({})) {
    yield { kind: "dead_letter", ...letter, due: message.due, to: message.to };
  }
  for (const { key, id, until } of store.dedupe.values()) yield { kind: "dedupe", key, id, until };
  for (const schedule of store.schedules.values()) {
    yield { kind: "schedule", ...schedule, runs: store.runs.get(schedule.task) ?? [] };
  }
  yield* limitsOf(store.uses, "take");
  yield* limitsOf(store.hits, "hit");
  for (const [key, value] of store.facts) yield { kind: "state", key, value };
}

function* limitsOf(windows: UseWindows, of: StoredLimit["of"]): Generator<StoredRecord, void> {
  for (const { key, times, end } of windows.values()) {
    yield { kind: "limit", key, of, uses: [...times], until: end };
  }
}

function storedDelivery({ message, handler, attempt, due: next, steps, errors }: Delivery): StoredDelivery {
  const { id, event, payload, headers, priority, key, publishedAt, due, expires } = message;
  // prettier-ignore
  return { id, handler, event, payload, headers, attempt, priority, key, publishedAt, due, next, expires, steps, errors };
}

/** @param before The message of the delivery before; several of one message share it. */
function loadDelivery(store: MemoryStore, record: StoredDelivery, before: Message | undefined): Message {
  const { handler, attempt, next, steps, errors } = record;
  const message = before?.id === record.id ? before : messageOf(store, record);
  if (!store.backlogs.has(handler)) store.subscribe(handler, undefined);
  for (const backlog of store.backlogsFor({ event: record.event, to: handler })) {
    const delivery = new Delivery(message, backlog);
    Object.assign(delivery, { attempt, due: next, steps, errors });
    store.add(delivery);
  }
  return message;
}

type Published = Omit<StoredDelivery, "handler" | "attempt" | "next" | "steps" | "errors"> &
  Pick<Partial<Message>, "to">;

function messageOf(store: MemoryStore, record: Published): Message {
  const { id, event, payload, headers, priority, key, publishedAt, due, expires, to } = record;
  // prettier-ignore
  return { id, seq: store.nextSeq(), event, payload, headers, priority, key, publishedAt, due, expires, to };
}

function loadRecord(store: MemoryStore, record: Exclude<StoredRecord, { kind: "delivery" }>): void {
  switch (record.kind) {
    case "subscription":
      return store.subscribe(record.handler, record.topic);
    case "dead_letter": {
      const { kind: _, due, to, ...letter } = record;
      return store.dead.put({
        letter,
        message: messageOf(store, { ...letter, due, to }),
      });
    }
    case "dedupe":
      return store.dedupe.hold(record.key, record.id, record.until);
    case "schedule": {
      const { kind: _, runs, ...schedule } = record;
      store.runs.set(schedule.task, [...runs]);
      return void store.schedules.set(schedule.task, Object.freeze(schedule));
    }
    case "limit": {
      const windows = record.of === "take" ? store.uses : store.hits;
      const last = record.uses.at(-1) ?? 0;
      for (const use of record.uses) windows.add(record.key, record.until - last, use);
      return;
    }
    case "state":
      return void store.facts.set(record.key, record.value);
  }
}
