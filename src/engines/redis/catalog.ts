import type { Subscription } from "../../engine.ts";
import { EngineError, SealedError } from "../../errors.ts";
import { TopicIndex } from "../../topic.ts";
import { storeLost } from "./failures.ts";
import type { Keys } from "./keys.ts";
import type { Link } from "./link.ts";
import { OPEN, script } from "./script.ts";

/*
 * The subscriptions of all replicas, which each of them remembers. A publish says which version of the list it went by,
 * and is refused when that is not the last.
 */

/** In the hash of subscriptions: a topic with a plus before it, or one of these. */
const NO_TOPIC = "=";
const REMOVED = "!";

/** Makes the store, if there is none. The version begins anywhere, so that another store's is never taken for it. */
const FOUND = script(`
if redis.call('HEXISTS', KEYS[1] .. ':m', 'name') == 0 then
  local life = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  redis.call('HSET', KEYS[1] .. ':m', 'name', ARGV[1], 'version', ARGV[2], 'format', ARGV[3], 'life', life)
end
return redis.call('HGET', KEYS[1] .. ':m', 'name')`);
const READ = script(`
return {
  redis.call('HMGET', KEYS[1] .. ':m', 'name', 'version', 'foreign', 'format'),
  redis.call('GET', KEYS[1] .. ':seal'),
  redis.call('HGETALL', KEYS[1] .. ':subs')
}`);
const WRITE = script(`
local changed = 0
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1] .. ':subs', ARGV[i]) ~= ARGV[i + 1] then
    redis.call('HSET', KEYS[1] .. ':subs', ARGV[i], ARGV[i + 1])
    changed = 1
  end
end
if changed == 1 then redis.call('HINCRBY', KEYS[1] .. ':m', 'version', 1) end
return changed`);
const REMOVE = script(
  OPEN,
  `
local topic = redis.call('HGET', KEYS[1] .. ':subs', ARGV[1])
if not topic or topic == '${REMOVED}' then return 0 end
redis.call('HSET', KEYS[1] .. ':subs', ARGV[1], '${REMOVED}')
redis.call('HINCRBY', KEYS[1] .. ':m', 'version', 1)
return 1`,
);

/** What this version of the engine writes. A later one that cannot be read by this has another number. */
const FORMAT = "1";

/** The subscriptions that a message goes to. */
export interface Route {
  readonly handlers: readonly string[];
  /** Where each of them keeps its deliveries. */
  readonly bases: readonly string[];
}

const NOWHERE: Route = { handlers: [], bases: [] };

/** The subscriptions as they were when they were last read. */
export class Catalog {
  /** Of the list in the server. */
  version = "";
  /** The start of all message ids. */
  store = "";
  /** The highest number of a message that came from another store and has its id; nothing where there was none. */
  foreign = "";
  /** Why nothing can be done with what is stored, as of when it was last read. */
  fault: EngineError | undefined;
  #seal: string | undefined;
  readonly #link: Link;
  readonly #keys: Keys;
  #topics = new TopicIndex<string>();
  readonly #entries = new Map<string, { readonly topic: string | undefined; readonly active: boolean }>();
  /** Routes by the lists of handlers, which the index gives out again and again. */
  #routes = new WeakMap<readonly string[], Route>();
  #direct = new Map<string, Route>();

  constructor(link: Link, keys: Keys) {
    this.#link = link;
    this.#keys = keys;
  }

  /** Makes or finds the store. @throws {EngineError} `ENGINE_SCHEMA` when a newer version of the framework made it. */
  async open(): Promise<void> {
    const fresh = crypto.randomUUID().slice(0, 12).replace("-", "");
    const version = Math.floor(Math.random() * 2 ** 40);
    this.store = await this.#run<string>(FOUND, fresh, version, FORMAT);
    await this.load();
  }

  /**
   * Reads the list anew.
   *
   * @throws {EngineError} `ENGINE_STORE_LOST` when the store is not the one that was opened, `ENGINE_SCHEMA` when a newer
   * version has changed how it is written.
   */
  async load(): Promise<void> {
    type Meta = [store: string | null, version: string | null, foreign: string | null, format: string];
    const [[store, version, foreign, format], seal, list] =
      await this.#run<[Meta, string | null, string[]]>(READ);
    const { location } = this.#link.place;
    this.fault = undefined;
    if (store !== this.store || version === null) this.fault = storeLost(location);
    else if (format !== FORMAT) this.fault = tooNew(location, format);
    if (this.fault || version === null) throw this.fault;
    this.#topics = new TopicIndex();
    this.#routes = new WeakMap();
    this.#direct = new Map();
    this.#entries.clear();
    for (let at = 0; at < list.length; at += 2) {
      const [handler = "", text = ""] = list.slice(at, at + 2);
      const topic = text.startsWith("+") ? text.slice(1) : undefined;
      this.#entries.set(handler, { topic, active: text !== REMOVED });
      if (topic !== undefined) this.#topics.add(topic, handler);
    }
    this.version = version;
    this.foreign = foreign ?? "";
    this.#seal = seal ?? undefined;
  }

  /** Why nothing of what is stored may be changed, as of when the list was last read. */
  get seal(): string | undefined {
    return this.#seal;
  }

  /** For what the scripts cannot see. @throws {SealedError} When it is sealed. */
  async needOpen(): Promise<void> {
    if (this.#seal === undefined) return;
    await this.load();
    if (this.#seal !== undefined) throw new SealedError(this.#link.place.location, this.#seal);
  }

  /** Adds and changes subscriptions. @throws {SealedError} */
  async add(subscriptions: readonly Subscription[]): Promise<void> {
    await this.needOpen();
    await this.put(subscriptions);
  }

  /** The same, also where it is sealed. */
  async put(subscriptions: readonly Subscription[]): Promise<void> {
    if (subscriptions.length === 0) return;
    // First each handler's own mark, so that whoever learns of it from the list finds it there.
    await Promise.all(
      subscriptions.map(({ handler }) => this.#link.call("set", `${this.#keys.of(handler)}:a`, 1)),
    );
    const pairs = subscriptions.flatMap(({ handler, topic }) => [
      handler,
      topic === undefined ? NO_TOPIC : `+${topic}`,
    ]);
    await this.#run(WRITE, ...pairs);
    await this.load();
  }

  /** Takes a subscription from the list; false when it is not there. */
  async remove(handler: string): Promise<boolean> {
    const removed = await this.#run<number>(REMOVE, handler);
    await this.load();
    return removed === 1;
  }

  /** Who gets a message. */
  route(event: string, to: string | undefined): Route {
    if (to !== undefined) return this.#routeTo(to);
    const handlers = this.#topics.match(event);
    let route = this.#routes.get(handlers);
    if (!route) {
      route = { handlers, bases: handlers.map((handler) => this.#keys.of(handler)) };
      this.#routes.set(handlers, route);
    }
    return route;
  }

  /** All handlers that have, or may still have, something stored. */
  get handlers(): string[] {
    return [...this.#entries.keys()];
  }

  /** The subscriptions that are not removed. */
  get active(): Subscription[] {
    return [...this.#entries].flatMap(([handler, { topic, active }]) => (active ? [{ handler, topic }] : []));
  }

  #routeTo(handler: string): Route {
    if (!this.#entries.get(handler)?.active) return NOWHERE;
    let route = this.#direct.get(handler);
    if (!route) {
      route = { handlers: [handler], bases: [this.#keys.of(handler)] };
      this.#direct.set(handler, route);
    }
    return route;
  }

  #run<T>(wanted: typeof READ, ...args: readonly (string | number)[]): Promise<T> {
    return this.#link.run<T>({ script: wanted, keys: [this.#keys.root], args });
  }
}

function tooNew(location: string, format: string): EngineError {
  return new EngineError(
    "ENGINE_SCHEMA",
    `What is stored in ${location} was written by a newer version of the framework (format ${format}; this one writes ${FORMAT}). This one changes nothing any more: run that version, or use another prefix.`,
  );
}
