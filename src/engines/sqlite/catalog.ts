import type { Subscription } from "../../engine.ts";
import { TopicIndex } from "../../topic.ts";
import type { Database } from "./database.ts";

/** A subscription with its number in the file. */
export interface CatalogEntry {
  readonly no: number;
  readonly handler: string;
  readonly topic: string | undefined;
  /** False once it was removed: its row stays, since deliveries that still run have its number. */
  readonly active: boolean;
}

const READ = "select no, handler, topic, active from subscription order by no";
const ADD = `insert into subscription (handler, topic, active) values (?, ?, 1)
  on conflict (handler) do update set topic = excluded.topic, active = 1`;
const REMOVE = "update subscription set active = 0 where no = ?";
const RAISE_VERSION = "update meta set subscriptions = subscriptions + 1";

/** The subscriptions, kept in memory; who changes them raises a version in the file, which others see in their next transaction. */
export class Catalog {
  readonly #db: Database;
  #version: number | undefined;
  #byName = new Map<string, CatalogEntry>();
  #byNo = new Map<number, CatalogEntry>();
  #topics = new TopicIndex<CatalogEntry>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Reads the subscriptions again unless they are those of this version. */
  load(version: number): void {
    if (version === this.#version) return;
    this.#byName = new Map();
    this.#byNo = new Map();
    this.#topics = new TopicIndex();
    for (const [no, handler, topic, active] of this.#db.all<[number, string, string | null, number]>(READ)) {
      const entry = { no, handler, topic: topic ?? undefined, active: active === 1 };
      this.#byNo.set(no, entry);
      if (!entry.active) continue;
      this.#byName.set(handler, entry);
      if (entry.topic !== undefined) this.#topics.add(entry.topic, entry);
    }
    this.#version = version;
  }

  /** Nothing that is kept counts any more. */
  forget(): void {
    this.#version = undefined;
  }

  add(subscriptions: readonly Subscription[]): void {
    const fresh = subscriptions.filter(({ handler, topic }) => {
      const known = this.#byName.get(handler);
      return !known || known.topic !== topic;
    });
    for (const { handler, topic } of fresh) this.#db.run(ADD, handler, topic ?? null);
    if (fresh.length > 0) this.#changed();
  }

  remove(entry: CatalogEntry): void {
    this.#db.run(REMOVE, entry.no);
    this.#changed();
  }

  /** The subscription of a handler, if it has one now. */
  named(handler: string): CatalogEntry | undefined {
    return this.#byName.get(handler);
  }

  find(no: number): CatalogEntry | undefined {
    return this.#byNo.get(no);
  }

  /** A subscription by its number, also one that was removed. */
  numbered(no: number): CatalogEntry {
    const entry = this.#byNo.get(no);
    if (entry) return entry;
    throw new Error(`the data file has a delivery for subscription ${no}, which does not exist`);
  }

  active(): Iterable<CatalogEntry> {
    return this.#byName.values();
  }

  /** Who gets a message: the handler it is sent to, or all whose topic matches. */
  receivers(event: string, to: string | undefined): readonly CatalogEntry[] {
    if (to === undefined) return this.#topics.match(event);
    const entry = this.#byName.get(to);
    return entry ? [entry] : [];
  }

  #changed(): void {
    this.#db.run(RAISE_VERSION);
    this.#version = undefined;
    this.load(this.#db.get<[number]>("select subscriptions from meta")?.[0] ?? 0);
  }
}
