import { afterAll, beforeAll, describe, test } from "vitest";
import { redisEngine } from "../../../src/engines/redis/engine.ts";
import { runConformance } from "../../../src/testing/conformance/index.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { noBinary, PrivateCluster } from "./private-server.ts";
import { redisCluster } from "./setup.ts";

let cluster: PrivateCluster;

if (noBinary === "") {
  beforeAll(async () => void (cluster = await PrivateCluster.start()));
  afterAll(() => cluster.dispose());
}

runConformance({
  ...redisCluster,
  name: `${redisCluster.name}${noBinary}`,
  create: async () => {
    const clock = new VirtualClock();
    const url = cluster.url();
    // The cluster goes with this file, and so do all its stores.
    return { clock, engine: () => redisEngine(url, { time: clock }), dispose: async () => {} };
  },
  runner: { describe: noBinary === "" ? describe : describe.skip, test },
});
