import type { Catalog } from "./catalog.ts";

/** Called when a claim may find something new: with the handlers, or without when they are not known. */
type Wake = (handlers?: Iterable<string>) => void;

/** Gathers, in the course of a transaction, for whom there may be something new, and tells them after it. */
export class Wakes {
  readonly #catalog: Catalog;
  readonly #listeners = new Set<{ readonly wake: Wake }>();
  readonly #touched = new Set<number>();
  /** Called, after listeners, when another process has changed the file or something was said here. */
  #news: () => void = () => {};
  #hasNews = false;
  #foreign = false;
  #lastTouched = 0;
  #version: number | undefined;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** Calls `wake` after each transaction that may give a claim something new, until the returned function is called. */
  listen(wake: Wake): () => void {
    // Wrapped, so that one function may listen twice and end once.
    const listener = { wake };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  onNews(hear: () => void): void {
    this.#news = hear;
  }

  /** A subscription has something new, or is to look again when its next delivery falls due. */
  touch(subscription: number): void {
    if (subscription === this.#lastTouched) return;
    this.#lastTouched = subscription;
    this.#touched.add(subscription);
  }

  /** There is something for those that listen to signals. */
  news(): void {
    this.#hasNews = true;
  }

  /** SQLite's count of the commits of other processes; answers whether there were any since the last time. */
  sawVersion(version: number): boolean {
    const changed = this.#version !== undefined && this.#version !== version;
    if (changed) this.#foreign = true;
    this.#version = version;
    return changed;
  }

  /** Tells all. What was gathered in a transaction that was undone is told with the next: a wake too many does no harm. */
  call(): void {
    const foreign = this.#foreign;
    const touched = foreign ? undefined : this.#names();
    const news = foreign || this.#hasNews;
    this.#foreign = false;
    this.#hasNews = false;
    this.#touched.clear();
    this.#lastTouched = 0;
    if (foreign || touched) for (const { wake } of this.#listeners) wake(touched);
    if (news) this.#news();
  }

  close(): void {
    this.#listeners.clear();
    this.#news = () => {};
  }

  #names(): string[] | undefined {
    if (this.#touched.size === 0 || this.#listeners.size === 0) return undefined;
    const names: string[] = [];
    for (const no of this.#touched) {
      const entry = this.#catalog.find(no);
      if (entry) names.push(entry.handler);
    }
    return names;
  }
}
