import { EngineError } from "../../errors.ts";
import { type Client, isCluster, reconnectWait } from "./client.ts";
import { isPassing, mayBeDone, replyCode, toFailure, unavailable } from "./failures.ts";
import type { Place } from "./place.ts";
import { inCluster, NEVER, type Script } from "./script.ts";

/** What stands in a command beside its keys. */
export type Arg = string | number;

/** A script with what it is given. The keys are of one hash slot in a cluster. */
export interface Command {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly Arg[];
}

/** How a command may be repeated when the connection broke and nobody knows whether it was done. */
export interface Repeating {
  /** What to send instead of it, from then on. @default the same */
  readonly again?: () => Command;
  /** It is not sent again: to do it twice would be wrong. @default false */
  readonly once?: boolean;
  /** How long to wait for the server, in milliseconds. @default the timeout in the URL */
  readonly patience?: number;
  /** How many replicas must have it. @default 0 */
  readonly replicas?: number;
}

/** The way to the server: sends commands, and waits, for a while, for a server that cannot be reached or is not ready. */
export class Link {
  readonly client: Client;
  readonly place: Place;
  #closed = false;
  /** Called when the connection is there again. */
  #waiting = new Set<() => void>();
  /** Why the last connection failed. */
  #fault: unknown;

  constructor(client: Client, place: Place) {
    this.client = client;
    this.place = place;
    client.on("error", (error: unknown) => (this.#fault = error));
    client.on("ready", () => {
      this.#fault = undefined;
      this.#resume();
    });
  }

  /** Resolves when there is a connection that can be used. @throws {EngineError} When there is none in time, or never can be. */
  async ready(): Promise<void> {
    const { db } = this.place;
    // The client takes it for the first one where there is no such database, and says nothing.
    await this.#persist((client) => (db > 0 ? client.call("select", db) : client.call("ping")), {});
  }

  /** Runs a script. Its answer is what the script returns. @throws {EngineError} */
  run<T>(command: Command, repeating: Repeating = {}): Promise<T> {
    const { again, replicas = 0 } = repeating;
    // What a script returns is known to who wrote it.
    return this.#persist(
      (_, unsure) => this.#evaluate(unsure && again ? again() : command, replicas),
      repeating,
    ) as Promise<T>;
  }

  /** Sends one command of the server's own, which may be repeated. @throws {EngineError} */
  call<T>(name: string, ...args: readonly Arg[]): Promise<T> {
    // What a command returns is known to who sends it.
    return this.#persist((client) => client.call(name, [...args]), {}) as Promise<T>;
  }

  /** Runs several scripts: on one server in one step, in a cluster each by itself. @throws {EngineError} */
  async together(commands: readonly Command[]): Promise<void> {
    if (commands.length === 0) return;
    if (isCluster(this.client)) {
      await Promise.all(commands.map((command) => this.run(command)));
      return;
    }
    await this.#persist(
      async (client) => {
        const transaction = client.multi();
        for (const { script, keys, args } of commands)
          transaction.call("eval", [script.text, keys.length, ...keys, ...args]);
        for (const [error] of (await transaction.exec()) ?? []) if (error) throw error;
      },
      { once: true },
    );
  }

  close(): void {
    this.#closed = true;
    this.client.disconnect();
    this.#resume();
  }

  /** The way of every call: what succeeds at once pays for no more than a timer. */
  #persist(
    send: (client: Client, unsure: boolean) => Promise<unknown>,
    { once = false, patience = this.place.timeout }: Repeating,
  ): Promise<unknown> {
    const deadline = performance.now() + patience;
    return within(send(this.client, false), patience, (error) => this.#repeat(error, send, once, deadline));
  }

  async #repeat(
    first: unknown,
    send: (client: Client, unsure: boolean) => Promise<unknown>,
    once: boolean,
    deadline: number,
  ): Promise<unknown> {
    let error = first;
    for (let tries = 0, unsure = false; ; tries++) {
      if (!isPassing(error)) throw toFailure(error, this.place.location);
      unsure ||= mayBeDone(error);
      // No connection is made while the password is wrong: to wait for one is no use.
      if (this.#fault !== undefined && !isPassing(this.#fault)) throw this.#unavailable(error, unsure);
      const wait = reconnectWait(tries);
      if (this.#closed || (once && unsure) || performance.now() + wait > deadline)
        throw this.#unavailable(error, unsure);
      this.#help(error);
      await this.#readyWithin(wait);
      try {
        return await within(send(this.client, unsure), deadline - performance.now());
      } catch (again) {
        error = again;
      }
    }
  }

  #evaluate(command: Command, replicas: number): Promise<unknown> {
    const { client } = this;
    const [first = ""] = command.keys;
    const { text, sha } = isCluster(client) ? inCluster(command.script) : command.script;
    const keys = isCluster(client) ? [...command.keys, first + NEVER] : command.keys;
    const rest = [keys.length, ...keys, ...command.args];
    const sent = client.call("evalsha", [sha, ...rest]).catch((error: unknown) => {
      if (replyCode(error) !== "NOSCRIPT") throw error;
      // A server that does not know the script is sent it.
      return client.call("eval", [text, ...rest]);
    });
    if (replicas === 0) return sent;
    return sent.then((answer) => this.#waitForReplicas(first, replicas).then(() => answer));
  }

  /** Redis replicates after it has answered; WAIT, on the same connection, asks whether it has. */
  async #waitForReplicas(key: string, wanted: number): Promise<void> {
    const { client } = this;
    const node = isCluster(client) ? await this.#masterOf(client, key) : client;
    const have = Number(await node.wait(wanted, this.place.timeout / 2));
    if (have < wanted) throw new Error(`${have} of ${wanted} replicas have confirmed the write`);
  }

  async #masterOf(client: Extract<Client, { nodes: unknown }>, key: string): Promise<Client> {
    const slot = Number(await client.cluster("KEYSLOT", key));
    const [name = ""] = client.slots[slot] ?? [];
    const master = client.nodes("master").find(({ options }) => `${options.host}:${options.port}` === name);
    if (!master) throw new Error(`the master of slot ${slot} is not known`);
    return master;
  }

  /** What can be done about it from here: to look for the server anew, where it may not be what it was. */
  #help(error: unknown): void {
    const { client } = this;
    const code = replyCode(error);
    if (isCluster(client)) client.refreshSlotsCache();
    // The master has become a replica: by its name another server may be reached.
    else if (code === "READONLY" || code === "MASTERDOWN") client.disconnect(true);
  }

  #readyWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => end(), ms);
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      this.#waiting.add(end);
    });
  }

  #resume(): void {
    for (const resume of this.#waiting) resume();
  }

  #unavailable(error: unknown, unsure: boolean): EngineError {
    const fault = mayBeDone(error) && unsure ? error : (this.#fault ?? error);
    const failure = toFailure(fault, this.place.location);
    // What the server said when the connection was made says more than that there is none.
    if (failure instanceof EngineError && failure.code !== "ENGINE_UNAVAILABLE") return failure;
    const why = fault instanceof Error ? fault.message : String(fault);
    return unavailable(this.place.location, why, { cause: error, unsure });
  }
}

/**
 * An answer that does not come in time is not waited for: the server may still do what it was asked for.
 * @param otherwise What to do instead of rejecting.
 */
function within(
  answer: Promise<unknown>,
  ms: number,
  otherwise?: (error: unknown) => Promise<unknown>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      if (otherwise) otherwise(error).then(resolve, reject);
      else reject(error as Error); // what the client rejects with
    };
    const timer = setTimeout(() => fail(new Error("it did not answer in time")), Math.max(1, ms));
    answer.then((value) => {
      clearTimeout(timer);
      resolve(value);
    }, fail);
  });
}
