import type { Instance, Presence } from "../../engine.ts";
import type { Seat } from "./seat.ts";

/** Instances live by their heartbeat alone: neither the age of what they run nor the machine's clock counts. */
export class MemoryPresence implements Presence {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async beat(): Promise<boolean> {
    const alive = !this.#seat.givenUp;
    this.#seat.register();
    return alive;
  }

  async sweep(): Promise<number> {
    const { store, member: self } = this.#seat;
    const now = store.clock.elapsed();
    let rescued = 0;
    for (const member of store.members.values()) {
      if (member === self || now - member.lastBeat <= member.lease) continue;
      store.members.delete(member.info.id);
      rescued += store.takeFrom(member);
    }
    return rescued;
  }

  async instances(): Promise<readonly Instance[]> {
    return [...this.#seat.store.members.values()].map(({ info, lastSeen, held }) => ({
      ...info,
      lastSeen,
      running: held.size,
    }));
  }
}
