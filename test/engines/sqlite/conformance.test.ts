import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";
import { sqliteEngine } from "../../../src/engines/sqlite/engine.ts";
import { runConformance } from "../../../src/testing/conformance/index.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";

runConformance({
  name: "sqlite",
  runner: { describe, test },
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
});
