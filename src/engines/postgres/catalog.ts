import { TopicIndex } from "../../topic.ts";
import type { Row } from "./statement.ts";

/** A subscription with its number in the schema. */
export interface CatalogEntry {
  readonly no: number;
  readonly handler: string;
  readonly topic: string | undefined;
  /** False once it was removed: its row stays, since deliveries that still run have its number. */
  readonly active: boolean;
}

export const READ_META = "select version, oldest, name, catalog, foreign_up_to, seal from {s}.meta";
export const READ_SUBSCRIPTIONS = "select no, handler, topic, active from {s}.subscription order by no";

/** The subscriptions, kept in memory; who changes them raises a version, and who comes with an older one is told to read again. */
export class Catalog {
  #version = -1;
  #byName = new Map<string, CatalogEntry>();
  #byNo = new Map<number, CatalogEntry>();
  #topics = new TopicIndex<CatalogEntry>();

  get version(): number {
    return this.#version;
  }

  load(version: number, rows: readonly Row[]): void {
    // Answers may come in another order than they were given.
    if (version <= this.#version) return;
    this.#version = version;
    this.#byName = new Map();
    this.#byNo = new Map();
    this.#topics = new TopicIndex();
    for (const [no, handler, topic, active] of rows) {
      const entry = {
        no: Number(no),
        handler: handler ?? "",
        topic: topic ?? undefined,
        active: active === "t",
      };
      this.#byNo.set(entry.no, entry);
      if (!entry.active) continue;
      this.#byName.set(entry.handler, entry);
      if (entry.topic !== undefined) this.#topics.add(entry.topic, entry);
    }
  }

  /** The subscription of a handler, if it has one now. */
  named(handler: string): CatalogEntry | undefined {
    return this.#byName.get(handler);
  }

  /** A subscription by its number, also one that was removed. */
  find(no: number): CatalogEntry | undefined {
    return this.#byNo.get(no);
  }

  /** Who gets a message: the handler it is sent to, or all whose topic matches. */
  receivers(event: string, to: string | undefined): readonly CatalogEntry[] {
    if (to === undefined) return this.#topics.match(event);
    const entry = this.#byName.get(to);
    return entry ? [entry] : [];
  }
}
