import { describe, test } from "vitest";
import { memoryEngine } from "../../../src/engines/memory/engine.ts";
import { MemoryStore } from "../../../src/engines/memory/store.ts";
import { runConformance } from "../../../src/testing/conformance/index.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";

runConformance({
  name: "memory",
  runner: { describe, test },
  create: async () => {
    const store = new MemoryStore();
    return {
      clock: new VirtualClock(),
      engine: () => memoryEngine({ store }),
      dispose: async () => {},
    };
  },
});
