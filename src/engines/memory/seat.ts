import type { EngineStart, InstanceInfo } from "../../engine.ts";
import { EngineError, SealedError } from "../../errors.ts";
import type { Delivery } from "./delivery.ts";
import type { MemoryStore } from "./store.ts";

/** One instance and what it holds. */
export interface Member {
  readonly info: InstanceInfo;
  readonly lease: number;
  /** By token. */
  readonly held: Map<number, Delivery>;
  lastSeen: number;
  /** As `lastSeen`, on the clock that never jumps: a lease must not lapse because somebody set the machine's clock. */
  lastBeat: number;
}

/** The place of one engine value in its store: shared by its ports. */
export class Seat {
  readonly #store: MemoryStore;
  #member: Member | undefined;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  /** @throws {EngineError} `ENGINE_NOT_STARTED` outside of start and stop. */
  get store(): MemoryStore {
    void this.member;
    return this.#store;
  }

  /** The store, to change it. @throws {SealedError} */
  get open(): MemoryStore {
    const { store } = this;
    if (store.seal !== undefined) throw new SealedError("memory:", store.seal);
    return store;
  }

  /** @throws {EngineError} `ENGINE_NOT_STARTED` outside of start and stop. */
  get member(): Member {
    if (this.#member) return this.#member;
    throw new EngineError("ENGINE_NOT_STARTED", "The memory engine is not started: call start() first.");
  }

  /** The time of the store, started or not. */
  now(): number {
    return this.#store.now();
  }

  /** Whether the others have given this instance up as dead. */
  get givenUp(): boolean {
    return this.store.members.get(this.member.info.id) !== this.member;
  }

  join({ clock, instance, lease }: EngineStart): void {
    const store = this.#store;
    if (this.#member) {
      throw new EngineError("ENGINE_STARTED", "The memory engine is started already: call stop() first.");
    }
    if (store.members.has(instance.id)) {
      throw new EngineError(
        "ENGINE_INSTANCE_TAKEN",
        `An instance with the id ${instance.id} is alive in this store: give each start a new id.`,
      );
    }
    // All engine values of one store go by the clock of the one that came first.
    if (store.members.size === 0) store.clock = clock;
    this.#member = { info: Object.freeze({ ...instance }), lease, held: new Map(), lastSeen: 0, lastBeat: 0 };
    this.register();
  }

  /** Registers this instance, or renews its lease. */
  register(): void {
    const { member, store } = this;
    member.lastSeen = store.now();
    member.lastBeat = store.clock.elapsed();
    store.members.set(member.info.id, member);
  }

  /** Gives back all it holds without spending an attempt, and ends its presence. */
  leave(): void {
    const member = this.#member;
    if (!member) return;
    this.#member = undefined;
    if (this.#store.members.get(member.info.id) === member) this.#store.members.delete(member.info.id);
    for (const delivery of member.held.values()) delivery.attempt--;
    this.#store.takeFrom(member);
  }
}
