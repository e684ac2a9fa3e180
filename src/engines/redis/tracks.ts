import type { NewMessage, Published } from "../../engine.ts";
import { unavailable } from "./failures.ts";
import { FanOut } from "./fan-out.ts";
import { type Condition, type Job, parcelOf } from "./parcel.ts";
import { storeOn } from "./publish.ts";
import type { Session } from "./session.ts";

/** One batch is on its way on each of so many lanes: while the server works on one, the next is written. */
const LANES = 2;
/** More messages at once gain nothing, and hold up everybody else at the server. */
const MOST_MESSAGES = 1_000;
/** The track of messages for several handlers of a cluster, which no one server can store at once. */
const ACROSS = "*";

/** Publishes one batch at a time. Its batches are numbered, so that one which is sent again is not stored again. */
export interface Lane {
  /** Its name in the store, with this instance's number before it. */
  name: string;
  number: number;
}

/** Jobs that wait for one of some lanes. */
interface Track {
  readonly waiting: Job[];
  readonly idle: Lane[];
}

/**
 * Gathers what is published into batches. On one server all share two lanes. In a cluster what is for one handler has a
 * lane of its own, so that a server that is down holds up nobody else.
 */
export class Tracks {
  readonly #session: Session;
  readonly #tracks = new Map<string, Track>();
  readonly #fanOut: FanOut;
  #lanes = 0;
  #closed = false;
  #running = 0;
  #whenIdle: () => void = () => {};

  constructor(session: Session) {
    this.#session = session;
    this.#fanOut = new FanOut(session);
  }

  /** Stores messages, all or none. Answers undefined when the condition did not hold; then nothing is done. */
  publish(messages: readonly NewMessage[], condition?: Condition): Promise<Published[] | undefined> {
    const now = this.#session.now();
    return this.submit(
      messages.map((message) => parcelOf(message, now)),
      condition,
    );
  }

  /** The same of parcels that are written already. */
  submit(parcels: Job["parcels"], condition: Condition | undefined): Promise<Published[] | undefined> {
    return new Promise((resolve, reject) => this.#add({ parcels, condition, resolve, reject }));
  }

  /** Resolves when nothing is on its way any more, or not within the timeout. */
  async idle(): Promise<void> {
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      setTimeout(resolve, this.#session.link.place.timeout).unref();
    });
  }

  /** Whoever still waits is told that nothing will come. */
  close(): void {
    this.#closed = true;
    this.#fanOut.close();
    const { location } = this.#session.link.place;
    for (const { waiting } of this.#tracks.values())
      for (const { reject } of waiting.splice(0)) reject(unavailable(location, "the engine was stopped"));
  }

  /** Stores what dead publishers had begun to store in several places. */
  finishOthers(alive: ReadonlySet<string>): Promise<void> {
    return this.#fanOut.finishOthers(alive);
  }

  #add(job: Job): void {
    const track = this.#trackOf(job);
    track.waiting.push(job);
    const lane = track.idle.pop();
    if (lane) void this.#run(track, lane);
  }

  #trackOf(job: Job): Track {
    const { cluster } = this.#session.link.place;
    const name = cluster ? this.#targetOf(job) : "";
    let track = this.#tracks.get(name);
    if (!track) {
      const lanes = cluster ? 1 : LANES;
      track = {
        waiting: [],
        idle: Array.from({ length: lanes }, () => ({ name: String(++this.#lanes), number: 0 })),
      };
      this.#tracks.set(name, track);
    }
    return track;
  }

  /** The one handler that gets all messages of a job, or that there are several. */
  #targetOf({ parcels, condition }: Job): string {
    if (condition) return ACROSS;
    let only: string | undefined;
    for (const { event, to, dedupe } of parcels) {
      const { handlers } = this.#session.catalog.route(event, to);
      if (handlers.length !== 1 || dedupe || (only ?? handlers[0]) !== handlers[0]) return ACROSS;
      only = handlers[0];
    }
    return only ?? ACROSS;
  }

  async #run(track: Track, lane: Lane): Promise<void> {
    this.#running++;
    while (track.waiting.length > 0 && !this.#closed) {
      const jobs = takeBatch(track.waiting);
      try {
        await (this.#session.link.place.cluster
          ? this.#fanOut.store(lane, jobs)
          : storeOn(this.#session, lane, jobs));
      } catch (error) {
        for (const { reject } of jobs) reject(error);
        // What was not answered may still come to the server, after all that follows: it must not be taken for that.
        lane.name = String(++this.#lanes);
      }
    }
    track.idle.push(lane);
    if (--this.#running === 0) this.#whenIdle();
  }
}

/** As many jobs as make a batch. One with a condition goes alone. */
function takeBatch(waiting: Job[]): Job[] {
  let messages = 0;
  let count = 0;
  for (const { parcels, condition } of waiting) {
    if (count > 0 && (condition || messages + parcels.length > MOST_MESSAGES)) break;
    messages += parcels.length;
    count++;
    if (condition) break;
  }
  return waiting.splice(0, count);
}
