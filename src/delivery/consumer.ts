import { type Clock, systemClock, type Timer } from "../clock.ts";
import type { Claim, Engine, Settlement } from "../engine.ts";
import { CancelledError, LeaseLostError } from "../errors.ts";
import type { Handler, Tick } from "../handler.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { Runner } from "../pipeline/runner.ts";
import { Delivery } from "./delivery.ts";

/** How many deliveries of one handler a process has under way, unless the handler says otherwise. */
const CONCURRENCY = 100;
/** The waits between tries to reach an engine that fails: doubled from the first to the last. */
const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 5_000;

/** A handler and how much more of its work this process would take. */
interface Slot {
  readonly runner: Runner;
  free: number;
  /** Counts the wakes, so that one that comes during a claim is not taken for answered by it. */
  wakes: number;
}

/** A message that failed for good. */
export interface Death {
  readonly claim: Claim;
  readonly settlement: Extract<Settlement, { kind: "dead" }>;
}

/**
 * Claims deliveries, runs their handlers and settles them.
 *
 * It claims as much as there is room for, and only for handlers that may have work: those that a wake named, and those
 * whose last claim came back full. So it neither polls nor pays for handlers that are idle. What ended in one turn of
 * the event loop is settled together with the next claim.
 */
export class Consumer {
  /** The engine's last failure; undefined while it works. */
  fault: unknown;
  readonly #engine: Engine;
  readonly #pipeline: Pipeline;
  readonly #onDead: (death: Death) => Promise<void>;
  readonly #slots = new Map<string, Slot>();
  readonly #hungry = new Set<Slot>();
  readonly #held = new Set<Delivery>();
  #claiming = false;
  #settling = 0;
  #pumpSoon = false;
  #running = false;
  /** The wait before the engine is asked again, while it fails. */
  #backoff = 0;
  #retryTimer: Timer | undefined;
  #dueTimer: Timer | undefined;
  #stopWake: () => void = () => {};
  #whenIdle: (() => void) | undefined;

  /** @param onDead Told of each message before it goes to the dead letters. */
  constructor(engine: Engine, pipeline: Pipeline, onDead: (death: Death) => Promise<void>) {
    this.#engine = engine;
    this.#pipeline = pipeline;
    this.#onDead = onDead;
  }

  /** How many deliveries this process holds. */
  get held(): number {
    return this.#held.size;
  }

  /** Whether the engine is being asked for work, or told what became of some. */
  get asking(): boolean {
    return this.#claiming || this.#pumpSoon || this.#settling > 0;
  }

  /** Begins to serve a handler, which must be subscribed. */
  add(handler: Handler): void {
    const slot = {
      runner: this.#pipeline.runner(handler),
      free: handler.options.concurrency ?? CONCURRENCY,
      wakes: 0,
    };
    this.#slots.set(handler.name, slot);
    this.#feed(slot);
  }

  /** Claims no more for a handler; what runs goes on. */
  remove(handler: Handler): void {
    const slot = this.#slots.get(handler.name);
    if (!slot) return;
    this.#slots.delete(handler.name);
    this.#hungry.delete(slot);
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#stopWake = this.#engine.queue.onWake((handlers) => this.#wake(handlers));
    this.#wake();
  }

  /** Claims nothing more. */
  pause(): void {
    this.#running = false;
    this.#stopWake();
    this.#dueTimer?.cancel();
    this.#retryTimer?.cancel();
    this.#retryTimer = undefined;
  }

  /**
   * Waits for what runs, for `timeout` milliseconds at the most; then aborts it, and gives back what does not end at
   * once, so that others may claim it right away.
   */
  async drain(timeout: number): Promise<void> {
    this.pause();
    if (await this.#idleWithin(timeout)) return;
    for (const delivery of this.#held) delivery.callOff(new CancelledError("The app is stopping."));
    if (await this.#idleWithin(Math.min(timeout, 1_000))) return;
    const left = [...this.#held];
    this.#held.clear();
    await this.#engine.queue.settle(left.map(({ claim }) => ({ claim, kind: "release" })));
  }

  /** Aborts what runs, because this instance was taken for dead and others have its work now. */
  loseAll(): void {
    for (const delivery of this.#held)
      delivery.callOff(new LeaseLostError(delivery.claim.id, delivery.claim.handler));
  }

  #wake(handlers?: Iterable<string>): void {
    if (handlers === undefined) for (const slot of this.#slots.values()) this.#feed(slot);
    else for (const name of handlers) this.#feed(this.#slots.get(name));
  }

  #feed(slot: Slot | undefined): void {
    if (!slot) return;
    slot.wakes++;
    this.#hungry.add(slot);
    this.#pumpInThisTurn();
  }

  /** At the end of this turn of the event loop, so that one claim follows all that the turn has freed and settled. */
  #pumpInThisTurn(): void {
    if (this.#pumpSoon || !this.#running || this.#retryTimer) return;
    this.#pumpSoon = true;
    setImmediate(() => {
      this.#pumpSoon = false;
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#claiming || !this.#running) return;
    const asked = [...this.#hungry].filter((slot) => slot.free > 0);
    if (asked.length === 0) return;
    const wakes = asked.map((slot) => slot.wakes);
    const wants = asked.map((slot) => ({ handler: slot.runner.handler.name, limit: slot.free }));
    this.#claiming = true;
    try {
      const { claims, nextDue } = await this.#engine.queue.claim(wants);
      this.fault = undefined;
      this.#backoff = 0;
      const got = new Map<string, number>();
      for (const claim of claims) {
        got.set(claim.handler, (got.get(claim.handler) ?? 0) + 1);
        this.#begin(claim);
      }
      wants.forEach(({ handler, limit }, at) => {
        const slot = asked[at] as Slot; // both lists have the same length
        if ((got.get(handler) ?? 0) < limit && slot.wakes === wakes[at]) this.#hungry.delete(slot);
      });
      this.#wakeAt(nextDue);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#claiming = false;
    }
    if (this.#hungry.size > 0 && [...this.#hungry].some((slot) => slot.free > 0)) this.#pumpInThisTurn();
  }

  #begin(claim: Claim): void {
    const slot = this.#slots.get(claim.handler);
    if (!slot || !this.#running) {
      // The handler went, or the app began to stop, while the claim was under way.
      void this.#engine.queue
        .settle([{ claim, kind: "release" }])
        .catch((error: unknown) => (this.fault = error));
      return;
    }
    slot.free--;
    const delivery = new Delivery(this.#engine, slot.runner, claim);
    this.#held.add(delivery);
    void this.#run(slot, delivery);
  }

  async #run(slot: Slot, delivery: Delivery): Promise<void> {
    const settlement = await delivery.run();
    slot.free++;
    // First the pump, then the settlement: the engine finds the next claim in the same turn as what it settles.
    if (this.#hungry.size > 0) this.#pumpInThisTurn();
    if (!this.#held.has(delivery)) return;
    this.#settling++;
    await this.#settle(slot.runner, delivery.claim, settlement);
    this.#settling--;
    this.#held.delete(delivery);
    if (this.#held.size === 0) this.#whenIdle?.();
  }

  /** Never rejects: a settlement that the engine cannot take now is tried until it can, or the app has stopped. */
  async #settle(runner: Runner, claim: Claim, settlement: Settlement): Promise<void> {
    for (let wait = FIRST_BACKOFF_MS; ; wait = Math.min(wait * 2, LAST_BACKOFF_MS)) {
      try {
        const wanted = settlement.kind === "dead" ? await this.#bury(runner, claim, settlement) : settlement;
        if (wanted.kind === "retry") runner.stats.retries++;
        const [settled] = await this.#engine.queue.settle([wanted]);
        if (settled === false) this.#lost(runner, claim);
        else if (wanted.kind === "done" && runner.handler.kind === "time") await this.#tickSucceeded(claim);
        return;
      } catch (error) {
        this.fault = error;
        this.#log.error(
          { err: error, handler: claim.handler, id: claim.id },
          "the engine did not take a settlement; trying again",
        );
        if (!this.#running) return;
        await new Promise<void>((resolve) => void this.#clock.setTimer(resolve, wait));
      }
    }
  }

  /** Tells those who listen for dead letters, and logs it, before the message is moved there. */
  async #bury(runner: Runner, claim: Claim, settlement: Death["settlement"]): Promise<Settlement> {
    const { handler } = runner;
    const { reason, error } = settlement;
    const fields = {
      handler: claim.handler,
      id: claim.id,
      event: claim.event,
      attempt: claim.attempt,
      reason,
      error,
    };
    if (handler.kind === "event" && handler.options.deadLetter === false) {
      this.#log.error(fields, "a message failed for good and was dropped, as its handler asks");
      return { claim, kind: "done" };
    }
    this.#log.error(fields, "a message failed for good and is among the dead letters");
    await this.#onDead({ claim, settlement });
    runner.stats.dead++;
    return settlement;
  }

  async #tickSucceeded(claim: Claim): Promise<void> {
    const { scheduled } = JSON.parse(claim.payload) as Tick; // the scheduler wrote it
    try {
      await this.#engine.schedules.succeeded(claim.handler, scheduled);
    } catch (error) {
      this.#log.warn({ err: error, handler: claim.handler }, "the success of a tick could not be noted");
    }
  }

  #lost(runner: Runner, claim: Claim): void {
    runner.stats.lost++;
    this.#log.warn(
      { err: new LeaseLostError(claim.id, claim.handler) },
      "what a handler did was not counted: its lease was lost",
    );
  }

  #wakeAt(due: number | undefined): void {
    this.#dueTimer?.cancel();
    this.#dueTimer =
      due === undefined || !this.#running
        ? undefined
        : this.#clock.setTimer(() => this.#wake(), Math.max(0, due - this.#engine.now()));
  }

  #failed(error: unknown): void {
    if (!this.#running) return;
    this.fault = error;
    this.#backoff = Math.min(Math.max(this.#backoff * 2, FIRST_BACKOFF_MS), LAST_BACKOFF_MS);
    this.#log.error({ err: error, retryIn: this.#backoff }, "the engine could not be asked for work");
    this.#retryTimer = this.#clock.setTimer(() => {
      this.#retryTimer = undefined;
      this.#wake();
    }, this.#backoff);
  }

  async #idleWithin(ms: number): Promise<boolean> {
    if (this.#held.size === 0) return true;
    let timer: Timer | undefined;
    const idle = new Promise<true>((resolve) => (this.#whenIdle = () => resolve(true)));
    // The machine's clock on purpose: a stop must end in a test whose virtual time stands still, too.
    const late = new Promise<false>(
      (resolve) => (timer = systemClock.setTimer(() => resolve(false), ms, true)),
    );
    const result = await Promise.race([idle, late]);
    timer?.cancel();
    return result;
  }

  get #clock(): Clock {
    return this.#pipeline.environment.clock;
  }

  get #log() {
    return this.#pipeline.environment.log;
  }
}
