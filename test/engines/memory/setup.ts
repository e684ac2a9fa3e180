import { memoryEngine } from "../../../src/engines/memory/engine.ts";
import { MemoryStore } from "../../../src/engines/memory/store.ts";
import type { ConformanceOptions } from "../../../src/testing/conformance/index.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";

/** How the conformance suite is run on this engine. */
export const memory: Omit<ConformanceOptions, "runner"> = {
  name: "memory",
  create: async () => {
    const store = new MemoryStore();
    return {
      clock: new VirtualClock(),
      engine: () => memoryEngine({ store }),
      dispose: async () => {},
    };
  },
};
