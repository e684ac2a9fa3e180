import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteEngine } from "../../../src/engines/sqlite/engine.ts";
import type { ConformanceOptions } from "../../../src/testing/conformance/index.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";

/** How the conformance suite is run on this engine, and what of it does not apply. */
export const sqlite: Omit<ConformanceOptions, "runner"> = {
  name: "sqlite",
  skip: [
    {
      reason: "all processes on a data file share the machine's clock, which is the one given to start",
      tests: ["a replica whose own clock is wrong goes by the engine's time"],
    },
  ],
  create: async () => {
    const directory = await mkdtemp(join(tmpdir(), "sqlite-"));
    return {
      clock: new VirtualClock(),
      engine: () => sqliteEngine(`sqlite:${join(directory, "app.db")}`),
      dispose: () => rm(directory, { recursive: true }),
    };
  },
};
