import { readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import type { HandSetup } from "./setup.ts";
import type { Store } from "./stores.ts";
import { newFile, Worker } from "./worker-process.ts";

/** A word of a hand about a job. */
export interface JobLine {
  readonly what: "began" | "ended";
  readonly n: number;
  /** `-` for none. */
  readonly key: string;
  readonly attempt: number;
  readonly pid: number;
}

/** Processes on one new store, which note their jobs in one journal. */
export class Hands {
  readonly #setup: HandSetup;

  private constructor(setup: HandSetup) {
    this.#setup = setup;
  }

  static async on({ create }: Store, setup: Partial<HandSetup> = {}): Promise<Hands> {
    return new Hands({ path: newFile(), engine: await create(), ...setup });
  }

  start(setup: Partial<HandSetup> = {}): Promise<Worker> {
    return Worker.start({ ...this.#setup, ...setup }, { program: "hand.ts" });
  }

  /** What they have noted, in the order in which it happened. */
  read(): JobLine[] {
    const text = readFileSync(join(this.#setup.path, "..", "journal"), "utf8");
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => {
        const [what, n, key = "", attempt, pid] = line.split(" ");
        return {
          what: what === "began" ? "began" : "ended",
          n: Number(n),
          key,
          attempt: Number(attempt),
          pid: Number(pid),
        };
      });
  }

  /** Waits until so many jobs have come to their end. */
  async ended(jobs: number): Promise<void> {
    await vi.waitFor(
      () => {
        const ended = new Set(this.read().flatMap(({ what, n }) => (what === "ended" ? [n] : [])));
        if (ended.size < jobs) throw new Error(`${ended.size} of ${jobs} jobs have ended`);
      },
      { timeout: 40_000, interval: 100 },
    );
  }
}
