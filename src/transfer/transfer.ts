import { systemClock } from "../clock.ts";
import type { Seal, StoredRecord } from "../engine-transfer.ts";
import type { Engine } from "../engine.ts";
import { engineOf } from "../engines.ts";
import { EngineError, SealedError } from "../errors.ts";
import { version } from "../version.ts";
import type { RecordCounts } from "./backup-file.ts";

/** What was carried over. */
export interface Carried {
  /** The engine it was carried from, for a backup, or to; without a password. */
  readonly location: string;
  /** How many records of each kind. */
  readonly records: RecordCounts;
}

/** Options that backup, restore and migrate have in common. */
export interface CarryOptions {
  /** Told how many records were carried so far, and of how many, which grows where others add to them meanwhile. */
  readonly onProgress?: (done: number, all: number) => void;
  /** Ends it before its time: what was begun is undone, and the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options of {@link backup}. */
export interface BackupOptions extends CarryOptions {
  /** A URL, or an engine that is not started. */
  readonly engine: string | Engine;
  /** Where to write; by custom with the ending `.ndjson.gz`. */
  readonly file: string;
}

/**
 * Writes all that an engine holds into one portable file: compressed, with a checksum, readable only by its owner.
 * Apps may go on working meanwhile. An older backup of that name stays until the new one is whole.
 *
 * @throws {BackupError} `BACKUP_UNWRITABLE`; what the engine's start throws.
 * @throws {EngineError} `ENGINE_EMPTY` for an engine with nothing in it, `ENGINE_SEALED` for one that is not whole.
 *
 * @example
 * await backup({ engine: "sqlite:data/app.db", file: "app-2026-11-23.ndjson.gz" });
 */
export async function backup({ engine, file, ...options }: BackupOptions): Promise<Carried> {
  const { writeBackup } = await backupFile();
  return withEngine(engine, true, async (source) => {
    const seal = await source.transfer.sealed();
    if (seal?.state === "filling") throw sealedError(source, seal);
    if (await source.transfer.isEmpty()) throw empty(source);
    const from = { engine: source.name, takenAt: source.now() };
    const pieces = counted(source.transfer.dump(), await about(source), options);
    return { location: source.location, records: await writeBackup(file, from, pieces) };
  });
}

/** Options of {@link restore}. */
export interface RestoreOptions extends BackupOptions {
  /** Removes what the engine holds first. @default false: an engine that holds anything is refused */
  readonly replace?: boolean;
}

/**
 * Reads a backup into an engine, of whichever kind. The whole file is checked before anything is written. The engine is
 * sealed until it is whole: apps are refused meanwhile. When it fails, the engine is emptied; when the process dies, the
 * same call begins anew.
 *
 * @throws {BackupError} `BACKUP_UNREADABLE`, `BACKUP_DAMAGED`, `BACKUP_VERSION`; nothing was written.
 * @throws {EngineError} `ENGINE_NOT_EMPTY` unless `replace` is given, `ENGINE_SEALED` for one that is being moved.
 *
 * @example
 * await restore({ engine: "sqlite:data/new.db", file: "app-2026-11-23.ndjson.gz" });
 */
export async function restore({
  engine,
  file,
  replace = false,
  ...options
}: RestoreOptions): Promise<Carried> {
  const { checkBackup, readBackup } = await backupFile();
  const { records } = await checkBackup(file);
  return withEngine(engine, false, async (target, instance) => {
    await needRoom(target, replace);
    const id = crypto.randomUUID();
    try {
      await target.transfer.seal({ state: "filling", other: file, id, carrier: instance });
      await target.transfer.clear();
      await load(target, counted(readBackup(file), sumOf(records), options));
      await needOwn(target, id);
      await target.transfer.unseal();
    } catch (error) {
      throw await undone(error, [() => emptied(target, id)]);
    }
    return { location: target.location, records };
  });
}

/** Options of {@link migrate}. */
export interface MigrateOptions extends CarryOptions {
  /** Where the state is: a URL, or an engine that is not started. */
  readonly from: string | Engine;
  /** Where it goes: the same, of any kind. */
  readonly to: string | Engine;
  /** Removes what the target holds first. @default false: a target that holds anything is refused */
  readonly replace?: boolean;
}

/**
 * Moves all that one engine holds to another. Both are sealed first: from then on whoever still works with one is
 * refused, so that nothing is handled on both sides. The source stays sealed, and keeps its content. When the move fails,
 * the target is emptied and the source opened again. When the process dies, the same call begins anew, and
 * {@link undoMigrate} opens the source.
 *
 * @throws {EngineError} `ENGINE_NOT_EMPTY` unless `replace` is given, `ENGINE_SAME` for one store as both, `ENGINE_EMPTY`
 * for a source with nothing in it, `ENGINE_SEALED` for a source that was moved already, `ENGINE_BUSY` while another
 * process moves or fills one of them.
 * @throws {AggregateError} When it failed and could not be undone, with both reasons: what is sealed then stays so.
 *
 * @example
 * await migrate({ from: "sqlite:data/app.db", to: "sqlite:/srv/app.db" });
 */
export async function migrate({ from, to, replace = false, ...options }: MigrateOptions): Promise<Carried> {
  return withEngine(from, true, (source, instance) =>
    withEngine(to, false, async (target, other) => {
      // Both are one store if one side sees who has just started on the other.
      if ((await target.presence.instances()).some(({ id }) => id === instance)) throw same(source);
      await needSource(source, target);
      await needRoom(target, replace);
      const id = crypto.randomUUID();
      const records: RecordCounts = {};
      const seal = { id, other: target.location, carrier: instance };
      try {
        await source.transfer.seal({ ...seal, state: "moving" });
        await target.transfer.seal({ id, state: "filling", other: source.location, carrier: other });
        await target.transfer.clear();
        await load(target, counted(source.transfer.dump(), await about(source), options, records));
        await needOwn(source, id);
        await needOwn(target, id);
        // In this order: never are both open, and who dies in between begins anew.
        await source.transfer.seal({ ...seal, state: "moved" });
        await target.transfer.unseal();
      } catch (error) {
        throw await undone(error, [() => emptied(target, id), () => opened(source, id)]);
      }
      return { location: target.location, records };
    }),
  );
}

/** Options of {@link undoMigrate}. */
export interface UndoMigrateOptions {
  /** Where the state is that was to be moved: a URL, or an engine that is not started. */
  readonly from: string | Engine;
}

/**
 * Opens the source of a move again whose process died before its end. What the target holds by then is not whole, and
 * stays sealed until something is moved or restored into it.
 *
 * @returns Where the source is.
 * @throws {EngineError} `ENGINE_SEALED` when its content has moved, `ENGINE_BUSY` while the move is under way,
 * `ENGINE_OPEN` when it is not sealed.
 *
 * @example
 * await undoMigrate({ from: "sqlite:data/app.db" });
 */
export async function undoMigrate({ from }: UndoMigrateOptions): Promise<{ readonly location: string }> {
  return withEngine(from, true, async (source) => {
    const { location, transfer } = source;
    const seal = await transfer.sealed();
    if (!seal)
      throw new EngineError(
        "ENGINE_OPEN",
        `${location} is not sealed: apps can work with it. Nothing was done.`,
      );
    if (seal.state !== "moving") throw sealedError(source, seal);
    await needDeadCarrier(source, seal);
    await transfer.unseal();
    return { location };
  });
}

/** Loaded when it is needed: who only starts an app pays nothing for it. */
function backupFile(): Promise<typeof import("./backup-file.ts")> {
  return import("./backup-file.ts");
}

async function load(target: Engine, pieces: AsyncIterable<readonly StoredRecord[]>): Promise<void> {
  for await (const piece of pieces) await target.transfer.load(piece);
}

/** A source must be open, or left behind by a move that was broken off before the target was whole. */
async function needSource(source: Engine, target: Engine): Promise<void> {
  const seal = await source.transfer.sealed();
  if (seal) {
    const unfinished = (await target.transfer.sealed())?.id === seal.id;
    if (seal.state === "filling" || (seal.state === "moved" && !unfinished)) throw sealedError(source, seal);
    await needDeadCarrier(source, seal);
  }
  if (await source.transfer.isEmpty()) throw empty(source);
}

/** A target must be empty, unless it is to be replaced, or holds the part of what was broken off. */
async function needRoom(target: Engine, replace: boolean): Promise<void> {
  const seal = await target.transfer.sealed();
  if (seal?.state === "filling") return needDeadCarrier(target, seal);
  // What is being moved away is nowhere else as a whole.
  if (seal?.state === "moving" || (seal && !replace)) throw sealedError(target, seal);
  if (replace || (await target.transfer.isEmpty())) return;
  throw new EngineError(
    "ENGINE_NOT_EMPTY",
    `${target.location} holds something already; nothing was written. Name an empty one, or ask for it to be replaced (--replace): what it holds is removed then.`,
  );
}

/** @throws {EngineError} `ENGINE_BUSY` while who has sealed it gives signs of life. */
async function needDeadCarrier({ presence, location }: Engine, { carrier, other }: Seal): Promise<void> {
  await presence.sweep();
  const alive = (await presence.instances()).find(({ id }) => id === carrier);
  if (!alive) return;
  throw new EngineError(
    "ENGINE_BUSY",
    `${location} is being copied from or to ${other} by process ${alive.pid} on ${alive.host}. Wait for its end, or stop it; one that was killed is known to be gone after ${LEASE_MS / 1_000} seconds.`,
    { retryable: true },
  );
}

/** @throws {EngineError} `ENGINE_BUSY` when another has taken the copying over. */
async function needOwn({ transfer, location }: Engine, id: string): Promise<void> {
  if ((await transfer.sealed())?.id === id) return;
  throw new EngineError("ENGINE_BUSY", `${location} was sealed or opened by somebody else meanwhile.`);
}

/** Undoes what this call has done to a target, and nothing that another has done to it since. */
async function emptied({ transfer }: Engine, id: string): Promise<void> {
  if ((await transfer.sealed())?.id !== id) return;
  await transfer.clear();
  await transfer.unseal();
}

/** The same for a source. */
async function opened({ transfer }: Engine, id: string): Promise<void> {
  // A seal that was set only in part shows on the whole store or not at all, so it is taken off in either case.
  const seal = await transfer.sealed();
  if (seal === undefined || seal.id === id) await transfer.unseal();
}

/** Undoes what was begun; the error to throw then. */
async function undone(error: unknown, steps: readonly (() => Promise<void>)[]): Promise<unknown> {
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((failure: unknown) => void failures.push(failure));
  if (failures.length === 0) return error;
  const reasons = [error, ...failures].map((reason) =>
    reason instanceof Error ? reason.message : String(reason),
  );
  return new AggregateError(
    [error, ...failures],
    `It failed, and what was begun could not be undone: ${reasons.join("; ")}. What is sealed stays so, and nothing is lost: run the same command again, or open the source with migrate --undo.`,
  );
}

function sealedError({ location }: Engine, seal: Seal): SealedError {
  return new SealedError(location, JSON.stringify(seal));
}

async function* counted(
  pieces: AsyncIterable<readonly StoredRecord[]>,
  all: number,
  { onProgress, signal }: CarryOptions,
  counts: RecordCounts = {},
): AsyncGenerator<readonly StoredRecord[], void> {
  let done = 0;
  for await (const piece of pieces) {
    signal?.throwIfAborted();
    yield piece;
    for (const { kind } of piece) counts[kind] = (counts[kind] ?? 0) + 1;
    done += piece.length;
    onProgress?.(done, Math.max(done, all));
  }
}

/** How many records there will be, but for the few that are neither a delivery nor a dead letter. */
async function about({ queue, deadLetters }: Engine): Promise<number> {
  const [subscriptions, dead] = await Promise.all([queue.subscriptions(), deadLetters.count({})]);
  return subscriptions.reduce(
    (sum, { ready, waiting, running }) => sum + ready + waiting + running + 1,
    dead,
  );
}

function sumOf(records: RecordCounts): number {
  return Object.values(records).reduce((sum, count) => sum + count, 0);
}

/**
 * Starts an engine for as long as something is done with it.
 *
 * @param existing Refuses a store that is not there, rather than making it.
 */
async function withEngine<T>(
  given: string | Engine,
  existing: boolean,
  use: (engine: Engine, instance: string) => Promise<T>,
): Promise<T> {
  const engine = typeof given === "string" ? await engineOf(given) : given;
  const instance = {
    id: crypto.randomUUID(),
    host: process.getBuiltinModule("node:os").hostname(),
    pid: process.pid,
    version,
    startedAt: systemClock.now(),
  };
  await engine.start({ clock: systemClock, lease: LEASE_MS, instance, existing });
  // A long copy must not look like a process that is gone.
  const beat = setInterval(() => void engine.presence.beat().catch(() => {}), LEASE_MS / 5);
  try {
    return await use(engine, instance.id);
  } finally {
    clearInterval(beat);
    await engine.stop();
  }
}

/** Shorter than an app's: who runs a command again after it was killed should not wait for long. */
const LEASE_MS = 10_000;

function empty({ location }: Engine): EngineError {
  return new EngineError("ENGINE_EMPTY", `${location} holds nothing. Is it the right one? Nothing was done.`);
}

function same({ location }: Engine): EngineError {
  return new EngineError("ENGINE_SAME", `${location} is both the source and the target. Name two stores.`);
}
