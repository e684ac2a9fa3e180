import type { Catalog } from "./catalog.ts";
import { numbersOf } from "./statement.ts";

/** Called when a claim may find something new: with the handlers, or without when they are not known. */
type Wake = (handlers?: Iterable<string>) => void;

/** A notice has 8,000 bytes at the most; one for more subscriptions than fit is for all. */
const MOST_NAMED = 500;

/**
 * Tells the other replicas for which subscriptions there is something new: one notice for each transaction, and none
 * where nobody else could hear it, since each notice is a lock that all commits of the server share.
 */
export const TELL_OTHERS = `create function {s}.tell_others_1(p_me int, p_subs int[]) returns void language plpgsql as $$
begin
  if p_subs is null or not exists (select from {s}.instance i where i.no <> p_me) then return; end if;
  perform pg_notify('{s}', 'w' || p_me || ':' || coalesce(
    (select string_agg(sub::text, ',') from (select distinct unnest(p_subs) as sub) d having count(*) <= ${MOST_NAMED}), ''));
end $$`;

/** Tells those who listen here that a claim may find something new, on a later turn of the event loop. */
export class Wakes {
  readonly #catalog: Catalog;
  readonly #listeners = new Set<{ readonly wake: Wake }>();
  #touched: Set<number> | "all" = new Set();
  #soon = false;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  listen(wake: Wake): () => void {
    // Wrapped, so that one function may listen twice and end once.
    const listener = { wake };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** These subscriptions may have something new; all where none is named. */
  touch(subs: Iterable<number> | "all"): void {
    if (subs === "all") this.#touched = "all";
    else if (this.#touched !== "all") for (const sub of subs) this.#touched.add(sub);
    if (this.#soon || (this.#touched !== "all" && this.#touched.size === 0)) return;
    this.#soon = true;
    setImmediate(() => this.#call());
  }

  /** A notice of {@link TELL_OTHERS}. @param me What this instance has told itself already. */
  hear(word: string, me: number): void {
    const [sender, subs = ""] = word.slice(1).split(":");
    if (Number(sender) === me) return;
    this.touch(subs === "" ? "all" : numbersOf(`{${subs}}`));
  }

  close(): void {
    this.#listeners.clear();
  }

  #call(): void {
    const touched = this.#touched;
    this.#touched = new Set();
    this.#soon = false;
    const names = touched === "all" ? undefined : this.#names(touched);
    for (const { wake } of this.#listeners) wake(names);
  }

  /** Undefined, for all, when there is one that was subscribed after we last read them. */
  #names(subs: ReadonlySet<number>): string[] | undefined {
    const names: string[] = [];
    for (const sub of subs) {
      const entry = this.#catalog.find(sub);
      if (!entry) return undefined;
      names.push(entry.handler);
    }
    return names;
  }
}
