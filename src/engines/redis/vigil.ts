import { isCluster } from "./client.ts";
import { script } from "./script.ts";
import type { Session } from "./session.ts";

/** Between two looks at whose connection is gone: one that lives has a new one by then. */
const LOOK_MS = 4_000;

/** ARGV: instance, now. What stands in the hash is the last sign of each. */
const KEEP = script("return redis.call('HSET', KEYS[1] .. ':v', ARGV[1], ARGV[2])");
const KEEPERS = script("return redis.call('HKEYS', KEYS[1] .. ':v')");

/**
 * Knows a process that was killed long before its lease has passed: each instance listens on a channel of its own, and the
 * server counts who does. A process that only hangs keeps its connection, and its lease.
 */
export class Vigil {
  readonly #session: Session;
  /** Those whose channel nobody heard at the last look, and when that was. */
  #silent: ReadonlySet<string> = new Set();
  #lookedAt = 0;
  #channel: string | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Listens under this instance's number, and says so. */
  async keep(): Promise<void> {
    const { keys, instance, wakes } = this.#session;
    const before = this.#channel;
    this.#channel = keys.alive(String(instance));
    await wakes.subscribe(this.#channel, before);
    await this.#session.root(KEEP, instance, this.#session.now());
  }

  /**
   * The instances whose channel nobody heard at two looks in a row. While our own connection is young nobody is judged: the
   * server may have closed everybody's, and some are slower to come back.
   */
  async gone(): Promise<string[]> {
    const { wakes } = this.#session;
    const now = performance.now();
    if (now - wakes.since < LOOK_MS || now - this.#lookedAt < LOOK_MS) return [];
    const silent = await this.#unheard();
    const gone = silent.filter((no) => this.#silent.has(no));
    this.#silent = new Set(silent);
    this.#lookedAt = now;
    return gone;
  }

  async #unheard(): Promise<string[]> {
    const { keys, instance, link } = this.#session;
    const others = (await this.#session.root<string[]>(KEEPERS)).filter((no) => no !== String(instance));
    if (others.length === 0) return [];
    const channels = others.map((no) => keys.alive(no));
    const { client } = link;
    // In a cluster each node counts those who are connected to it.
    const nodes = isCluster(client) ? client.nodes("all") : [client];
    try {
      const counts = await Promise.all(nodes.map((node) => node.pubsub("NUMSUB", ...channels)));
      return others.filter((_, at) => counts.every((flat) => Number(flat[2 * at + 1]) === 0));
    } catch {
      // A node that is not there may be the one that somebody is connected to; a user may lack the right to ask. The lease remains.
      return [];
    }
  }
}
