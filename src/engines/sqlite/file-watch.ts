import { type FSWatcher, statSync, watch } from "node:fs";
import { lost } from "./failures.ts";
import type { Session } from "./session.ts";

/** How often the file is looked at where the system tells nothing of its changes. */
const LOOK_EVERY_MS = 1_000;
/** How long to wait before looking when the change may be our own. */
const OWN_COMMIT_MS = 1;
/** A notice comes with each write of a commit, and the commit is there to be seen just after the last: waits until looking again. */
const LOOK_AGAIN_MS = [2, 20, 200];
/** So many commits of our own between two notices make the notices a burden: all writes pay for theirs, a tenth of what a commit costs. */
const MANY_COMMITS = 2;
/** How long we do without notices then: each of our transactions sees what others did, and a look comes after the last. */
const WITHOUT_NOTICES_MS = 4;

/**
 * Notices what other processes do to the data file: their commits, by the system's notice of a write to the log beside
 * it, and that somebody deletes or replaces it. A slow look at the file makes up for notices that do not come.
 */
export class FileWatch {
  readonly #session: Session;
  readonly #file: string;
  readonly #log: string;
  /** The file and the two beside it, by which all processes on it find each other, and which files they were at the start. */
  readonly #ids: ReadonlyMap<string, number>;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #pause: NodeJS.Timeout | undefined;
  #lookSoon = false;
  #commits = 0;
  #closed = false;

  /** @param session To be told; it has written already, so that the log exists. */
  constructor(session: Session) {
    this.#session = session;
    this.#file = session.path;
    this.#log = `${session.path}-wal`;
    const paths = [this.#file, this.#log, `${session.path}-shm`];
    this.#ids = new Map(paths.map((path) => [path, idOf(path)]));
    for (const path of paths) this.#watch(path);
    this.#lookLater();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    clearTimeout(this.#pause);
    for (const watcher of this.#watchers.values()) watcher.close();
  }

  #watch(path: string): void {
    try {
      const watcher = watch(path, { persistent: false }, () => this.#noticed(path));
      watcher.on("error", () => watcher.close());
      this.#watchers.set(path, watcher);
    } catch {
      // No notices to be had here (too many watches, a file system without them): the slow look remains.
    }
  }

  #noticed(path: string): void {
    // A file that is open and loses its name is only told of as changed. The log changes all the time, the others seldom.
    if (path !== this.#log) this.#lookForLoss();
    if (this.#lookSoon || this.#closed) return;
    this.#lookSoon = true;
    const look = (): void => {
      this.#lookSoon = false;
      if (this.#closed) return;
      this.#lookForLoss();
      this.#look(0);
    };
    // Most likely the notice of a commit of our own; while we commit, each transaction sees what others did anyway.
    const ours = this.#ownCommits();
    if (ours >= MANY_COMMITS && !this.#pause) this.#pauseNotices();
    if (ours > 0) setTimeout(look, OWN_COMMIT_MS).unref();
    else setImmediate(look);
  }

  /** How many commits of our own there were since the last time. */
  #ownCommits(): number {
    const before = this.#commits;
    this.#commits = this.#session.commits;
    return this.#commits - before;
  }

  /** Watches the log again when we commit less often. */
  #pauseNotices(): void {
    this.#watchers.get(this.#log)?.close();
    this.#pause = setTimeout(() => {
      if (this.#ownCommits() >= MANY_COMMITS) return void this.#pause?.refresh();
      this.#pause = undefined;
      this.#watch(this.#log);
      this.#look(0);
    }, WITHOUT_NOTICES_MS).unref();
  }

  #look(time: number): void {
    clearTimeout(this.#again);
    const wait = LOOK_AGAIN_MS[time];
    if (this.#session.look() || wait === undefined) return;
    this.#again = setTimeout(() => this.#look(time + 1), wait).unref();
  }

  #lookLater(): void {
    // Real time, whatever the app's clock says: it is real processes that change the file.
    this.#timer = setTimeout(() => {
      this.#lookForLoss();
      this.#session.look();
      this.#lookLater();
    }, LOOK_EVERY_MS).unref();
  }

  /** What is written to a file that has no name any more is gone with the process. */
  #lookForLoss(): void {
    for (const [path, id] of this.#ids) {
      if (idOf(path) !== id) this.#session.fault ??= lost(this.#file);
    }
  }
}

/** Tells one file of a name from the next; 0 when there is none. */
function idOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}
