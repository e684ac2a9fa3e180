import { describe, test } from "vitest";
import { runConformance } from "../../../src/testing/conformance/index.ts";
import { redis, server } from "./setup.ts";

runConformance({
  ...redis,
  name: `${redis.name}${server.absent}`,
  runner: { describe: server.absent === "" ? describe : describe.skip, test },
});
