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
  create: async () => {
    const directory = await mkdtemp(join(tmpdir(), "sqlite-"));
    return {
      clock: new VirtualClock(),
      engine: () => sqliteEngine(`sqlite:${join(directory, "app.db")}`),
      dispose: () => rm(directory, { recursive: true }),
    };
  },
});
