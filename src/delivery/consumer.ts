import { type Clock, systemClock, type Timer } from "../clock.ts";
import { toMs } from "../duration.ts";
import type { Claim, Engine, Settlement } from "../engine.ts";
import { CancelledError, LeaseLostError } from "../errors.ts";
import type { Handler } from "../handler.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { Runner } from "../pipeline/runner.ts";
import { Gathering, runBatch } from "./batch.ts";
import { Delivery } from "./delivery.ts";
import { engineBackoff } from "./engine-backoff.ts";
import { type DeliveryEvents, Settler } from "./settler.ts";
import { SUSPECT_WAIT_MS, Suspects } from "./suspects.ts";

/** How many deliveries of one handler a process has under way, unless the handler says otherwise. */
const CONCURRENCY = 100;
/** The same of the batches of a batch handler, and how long the first message of a batch waits for others. */
const BATCHES = 10;
const GATHER_FOR = "100ms";

/** A handler and how much more of its work this process would take. */
interface Slot {
  readonly runner: Runner;
  free: number;
  /** Of a batch handler: collects deliveries until there are enough for a run. */
  readonly gathering: Gathering | undefined;
  /** Counts the wakes, so that one that comes during a claim is not taken for answered by it. */
  wakes: number;
}

/**
 * Claims deliveries, runs their handlers and settles them.
 *
 * It claims as much as there is room for, and only for handlers that may have work: those that a wake named, and those
 * whose last claim came back full. So it neither polls nor pays for handlers that are idle. What ended in one turn of
 * the event loop is settled together with the next claim.
 */
export class Consumer {
  readonly #engine: Engine;
  readonly #pipeline: Pipeline;
  readonly #settler: Settler;
  readonly #slots = new Map<string, Slot>();
  readonly #hungry = new Set<Slot>();
  readonly #held = new Set<Delivery>();
  readonly #suspects = new Suspects();
  #claimFault: unknown;
  #claiming = false;
  #settling = 0;
  #begun = 0;
  #pumpSoon = false;
  #running = false;
  /** The wait before the engine is asked again, while it fails. */
  #backoff = 0;
  #retryTimer: Timer | undefined;
  #dueTimer: Timer | undefined;
  #nextDue = Infinity;
  #stopWake: () => void = () => {};
  #whenIdle: (() => void) | undefined;

  constructor(engine: Engine, pipeline: Pipeline, events: DeliveryEvents) {
    this.#engine = engine;
    this.#pipeline = pipeline;
    this.#settler = new Settler(engine, pipeline.environment, events, (delivery) => this.#over(delivery));
  }

  /** How many deliveries were ever begun here: while there is work, it grows. */
  get begun(): number {
    return this.#begun;
  }

  /** The engine's last failure; undefined while it works. */
  get fault(): unknown {
    return this.#claimFault ?? this.#settler.fault;
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
    const runner = this.#pipeline.runner(handler);
    const { concurrency } = handler.options;
    const batch = handler.kind === "event" ? handler.options.batch : undefined;
    const slot: Slot = {
      runner,
      free: batch ? batch.size * (concurrency ?? BATCHES) : (concurrency ?? CONCURRENCY),
      gathering:
        batch &&
        new Gathering(
          this.#clock,
          batch.size,
          toMs(batch.within ?? GATHER_FOR),
          (deliveries) => void this.#runBatch(slot, deliveries),
        ),
      wakes: 0,
    };
    this.#slots.set(handler.name, slot);
    this.#feed(slot);
  }

  /** Whether this process would take more of a handler's work. */
  hasRoom(handler: string): boolean {
    return (this.#slots.get(handler)?.free ?? 0) > 0;
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
    this.#settler.persist();
    this.#stopWake = this.#engine.queue.onWake((handlers) => this.#wake(handlers));
    this.#wake();
  }

  /** Claims nothing more. */
  pause(): void {
    this.#running = false;
    this.#settler.giveUp();
    this.#stopWake();
    this.#dueTimer?.cancel();
    this.#nextDue = Infinity;
    this.#retryTimer?.cancel();
    this.#retryTimer = undefined;
  }

  /**
   * Waits for what runs, for `timeout` milliseconds at the most; then aborts it, and gives back what does not end at
   * once, so that others may claim it right away.
   */
  async drain(timeout: number): Promise<void> {
    this.pause();
    for (const { gathering } of this.#slots.values()) gathering?.flush();
    if (await this.#idleWithin(timeout)) return;
    const reason = new CancelledError("The app is stopping.");
    for (const delivery of this.#held) delivery.callOff({ reason, fate: "release" });
    if (await this.#idleWithin(Math.min(timeout, 1_000))) return;
    const left = [...this.#held];
    this.#held.clear();
    await this.#engine.queue.settle(left.map(({ claim }) => ({ claim, kind: "release" })));
  }

  /** Aborts what runs, because this instance was taken for dead and others have its work now. */
  loseAll(): void {
    for (const delivery of this.#held) {
      const { id, handler } = delivery.claim;
      delivery.callOff({ reason: new LeaseLostError(id, handler), fate: "theirs" });
    }
  }

  /** Aborts the runs of a message (only `handler`'s, if given); they are not tried again. Answers how many there were. */
  cancel(id: string, handler?: string): number {
    const running = [...this.#held].filter(
      ({ claim }) => claim.id === id && (handler === undefined || claim.handler === handler),
    );
    for (const delivery of running) {
      delivery.callOff({ reason: new CancelledError(`Message ${id} was cancelled.`), fate: "drop" });
    }
    return running.length;
  }

  /** Asks the engine again whatever it was asked before: for when it has not answered. */
  restart(): void {
    this.#claiming = false;
    this.#wake();
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
      this.#claimFault = undefined;
      this.#backoff = 0;
      const got = new Map<string, number>();
      for (const { handler } of claims) got.set(handler, (got.get(handler) ?? 0) + 1);
      for (const claim of byPriority(await this.#withoutSuspects(claims))) this.#begin(claim);
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

  /** Puts off all but one of those that may end this process, before that one begins. */
  async #withoutSuspects(claims: readonly Claim[]): Promise<readonly Claim[]> {
    const attemptsOf = ({ handler }: Claim): number => this.#slots.get(handler)?.runner.retry.attempts ?? 0;
    const { now, later } = this.#suspects.part(claims, attemptsOf);
    if (later.length === 0) return now;
    const at = this.#engine.now() + SUSPECT_WAIT_MS;
    try {
      await this.#engine.queue.settle(later.map((claim) => ({ claim, kind: "snooze", at })));
      return now;
    } catch (error) {
      this.#claimFault = error;
      return claims;
    }
  }

  #begin(claim: Claim): void {
    const slot = this.#slots.get(claim.handler);
    if (!slot || !this.#running) {
      // The handler went, or the app began to stop, while the claim was under way.
      void this.#engine.queue
        .settle([{ claim, kind: "release" }])
        .catch((error: unknown) => (this.#claimFault = error));
      return;
    }
    slot.free--;
    this.#begun++;
    const delivery = new Delivery(this.#engine, slot.runner, claim);
    this.#held.add(delivery);
    if (slot.gathering) slot.gathering.add(delivery);
    else void this.#run(slot, delivery);
  }

  async #run(slot: Slot, delivery: Delivery): Promise<void> {
    this.#end(slot, delivery, await delivery.run());
  }

  async #runBatch(slot: Slot, deliveries: readonly Delivery[]): Promise<void> {
    const settlements = await runBatch(slot.runner, deliveries);
    const byId = new Map(deliveries.map((delivery) => [delivery.claim.seq, delivery]));
    for (const settlement of settlements) {
      this.#end(slot, byId.get(settlement.claim.seq) as Delivery, settlement); // one for each
    }
  }

  #end(slot: Slot, delivery: Delivery, settlement: Settlement): void {
    slot.free++;
    this.#suspects.ended(delivery.claim);
    // First the pump, then the settlement: the engine finds the next claim in the same turn as what it settles.
    if (this.#hungry.size > 0) this.#pumpInThisTurn();
    if (!this.#held.has(delivery)) return;
    this.#settling++;
    this.#settler.settle(slot.runner, delivery, settlement);
  }

  #over(delivery: Delivery): void {
    this.#settling--;
    this.#held.delete(delivery);
    if (this.#held.size === 0) this.#whenIdle?.();
  }

  /** An earlier moment that is waited for already stays: a claim tells only of the handlers it was for. */
  #wakeAt(due: number | undefined): void {
    if (due === undefined || !this.#running || due >= this.#nextDue) return;
    this.#dueTimer?.cancel();
    this.#nextDue = due;
    this.#dueTimer = this.#clock.setTimer(
      () => {
        this.#nextDue = Infinity;
        this.#wake();
      },
      Math.max(0, due - this.#engine.now()),
    );
  }

  #failed(error: unknown): void {
    if (!this.#running) return;
    this.#claimFault = error;
    this.#backoff = engineBackoff(this.#backoff);
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

/** Smaller first, whichever handlers they are for; those of one handler come so from the engine. */
function byPriority(claims: readonly Claim[]): readonly Claim[] {
  const first = claims[0]?.priority;
  return claims.every(({ priority }) => priority === first)
    ? claims
    : claims.toSorted((one, other) => one.priority - other.priority);
}
