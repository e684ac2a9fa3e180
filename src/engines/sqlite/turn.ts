import type { Database } from "./database.ts";
import { busy, isBusy, toFailure } from "./failures.ts";

/** Answered by a peek that found that the operation has something to write. */
export const MUST_WRITE: unique symbol = Symbol("must write");

/** What a turn tells, so that what is kept in memory stays equal to the file. */
export interface TurnEvents {
  /** A transaction has begun: others may have changed the file. */
  began(): void;
  /** The transaction is safe, and those who asked have been answered. */
  committed(): void;
  /** What was done since `began` did not happen. */
  undone(): void;
  /** An operation failed. */
  failed(error: unknown): void;
}

/** One operation that somebody waits for. */
interface Operation {
  /** Does it, inside the turn's transaction. May be called again after it was undone. */
  readonly run: () => unknown;
  /** Does it without writing, if that is possible. */
  readonly peek: (() => unknown) | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  result: unknown;
  failed: boolean;
}

/** A transaction ends after this long, so that the event loop, and other processes, get their turn. */
const LONGEST_TRANSACTION_MS = 5;
/** For so long calls that await each other are answered without going round the event loop. */
const LONGEST_STREAK_MS = 2;
/** How long an operation waits for other processes to give the lock back. */
const PATIENCE_MS = 10_000;

const NONE: Operation[] = [];

/**
 * Runs all operations that are asked for in one turn of the event loop in one transaction: a commit costs several times
 * what a row costs.
 *
 * Each operation is atomic on its own. They run one after the other without savepoints; should one fail, everything is
 * undone and done again with a savepoint around each, so that only the failed one is missing.
 */
export class Turn {
  readonly #db: Database;
  readonly #file: string;
  readonly #events: TurnEvents;
  #waiting: Operation[] = [];
  #flushSoon = false;
  #lastBatch = 1;
  #streakStart = 0;
  #busySince = 0;

  constructor(db: Database, file: string, events: TurnEvents) {
    this.#db = db;
    this.#file = file;
    this.#events = events;
  }

  /**
   * Runs an operation in this turn's transaction; resolves when it is safe.
   * @param peek Tries to answer it without the write lock, when no writer shares the turn; answers MUST_WRITE if it cannot.
   */
  write<T>(run: () => T, peek?: () => T | typeof MUST_WRITE): Promise<T> {
    return this.#add(run, peek);
  }

  /** Runs an operation that only reads, after those that were asked for before it. */
  read<T>(run: () => T): Promise<T> {
    return this.#add(run, run);
  }

  /**
   * Like {@link write}, and need not wait for the end of the turn while calls come one by one, each after the answer to
   * the one before: there is nothing to share a transaction with then.
   */
  writeSoon<T>(run: () => T): Promise<T> {
    if (this.#lastBatch === 1 && this.#waiting.length === 0 && this.#inStreak()) {
      queueMicrotask(() => this.#flushUnlessBusy());
    }
    return this.#add(run, undefined);
  }

  #add<T>(run: () => T, peek: (() => unknown) | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // Resolved with what its own `run` or `peek` returned, which is a T.
      const settle = resolve as (result: unknown) => void;
      this.#waiting.push({ run, peek, resolve: settle, reject, result: undefined, failed: false });
      this.#flushAtEnd();
    });
  }

  #flushAtEnd(): void {
    if (this.#flushSoon) return;
    this.#flushSoon = true;
    setImmediate(() => {
      this.#flushSoon = false;
      this.#streakStart = 0;
      this.#flushUnlessBusy();
    });
  }

  /** While the lock is not to be had, a timer tries again. */
  #flushUnlessBusy(): void {
    if (this.#busySince === 0) this.#flush();
  }

  #inStreak(): boolean {
    const now = performance.now();
    if (this.#streakStart === 0) this.#streakStart = now;
    return now - this.#streakStart < LONGEST_STREAK_MS;
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    this.#lastBatch = this.#waiting.length;
    if (this.#waiting.every(({ peek }) => peek !== undefined) && !this.#peekAll()) return;
    if (this.#waiting.length === 0 || !this.#begin("begin immediate")) return;
    const batch = this.#waiting;
    this.#waiting = [];
    const left = this.#commit(batch);
    if (left.length === 0) return;
    this.#waiting = left.concat(this.#waiting);
    this.#flushAtEnd();
  }

  /** Nobody in this turn is sure to write: answers those who need not, without the write lock. False when it has to wait. */
  #peekAll(): boolean {
    if (!this.#begin("begin")) return false;
    const asked = this.#waiting;
    this.#waiting = [];
    const writers: Operation[] = [];
    const answered: Operation[] = [];
    for (const operation of asked) {
      try {
        operation.result = operation.peek?.();
        (operation.result === MUST_WRITE ? writers : answered).push(operation);
      } catch (error) {
        this.#fail(operation, error);
      }
    }
    this.#end();
    for (const { resolve, result } of answered) resolve(result);
    this.#waiting = writers.concat(this.#waiting);
    this.#events.committed();
    return true;
  }

  /** False when the lock is not to be had now (it is tried again), or not at all (all who wait have been told). */
  #begin(begin: "begin" | "begin immediate"): boolean {
    try {
      this.#db.run(begin);
      this.#busySince = 0;
      this.#events.began();
      return true;
    } catch (error) {
      this.#rollback();
      const now = performance.now();
      if (!isBusy(error)) this.#failAll(error);
      else if (this.#busySince !== 0 && now - this.#busySince > PATIENCE_MS) {
        this.#failAll(busy(this.#file, error));
      } else {
        if (this.#busySince === 0) this.#busySince = now;
        // Real time, whatever the app's clock says: the lock is held by a real process. At random, so that of many none starves.
        setTimeout(() => this.#flush(), 1 + Math.random() * 3);
      }
      return false;
    }
  }

  /** Does what fits into one transaction, and answers; returns what did not fit. */
  #commit(batch: Operation[]): Operation[] {
    let done = 0;
    try {
      done = this.#runAll(batch);
      this.#db.run("commit");
    } catch (error) {
      this.#rollback();
      for (const operation of batch) if (!operation.failed) this.#fail(operation, error);
      return [];
    }
    for (let at = 0; at < done; at++) {
      const operation = batch[at] as Operation; // at < batch.length
      if (!operation.failed) operation.resolve(operation.result);
    }
    const left = done === batch.length ? NONE : batch.slice(done);
    this.#events.committed();
    return left;
  }

  #runAll(batch: readonly Operation[]): number {
    const end = performance.now() + LONGEST_TRANSACTION_MS;
    let done = 0;
    try {
      for (const operation of batch) {
        operation.result = operation.run();
        done++;
        if (performance.now() > end) break;
      }
      return done;
    } catch (error) {
      this.#rollback();
      if (batch.length === 1) throw error;
      return this.#runEachAlone(batch);
    }
  }

  /** Again, after one of them failed: each in a savepoint of its own. */
  #runEachAlone(batch: readonly Operation[]): number {
    this.#db.run("begin immediate");
    this.#events.began();
    for (const operation of batch) {
      this.#db.run("savepoint operation");
      try {
        operation.result = operation.run();
      } catch (error) {
        // A full disk may have ended the whole transaction.
        if (!this.#db.inTransaction) throw error;
        this.#db.run("rollback to operation");
        this.#events.undone();
        this.#events.began();
        this.#fail(operation, error);
      }
      this.#db.run("release operation");
    }
    return batch.length;
  }

  #rollback(): void {
    this.#end();
    this.#events.undone();
  }

  /** Ends a transaction that has nothing to keep. */
  #end(): void {
    try {
      if (this.#db.inTransaction) this.#db.run("rollback");
    } catch {
      // The file is damaged or the disk gone, which the error that led here has said already.
    }
  }

  #failAll(error: unknown): void {
    const asked = this.#waiting;
    this.#waiting = [];
    this.#busySince = 0;
    for (const operation of asked) this.#fail(operation, error);
  }

  #fail(operation: Operation, error: unknown): void {
    operation.failed = true;
    const failure = toFailure(error, this.#file);
    this.#events.failed(failure);
    operation.reject(failure);
  }
}
