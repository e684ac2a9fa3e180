import { afterAll, describe, test } from "vitest";
import { runConformance } from "../../../src/testing/conformance/index.ts";
import { server } from "./server.ts";
import { dropSchemas, postgres } from "./setup.ts";

describe.skipIf(server.absent !== "")(`on a server${server.absent}`, () => {
  afterAll(dropSchemas);
  runConformance({ ...postgres, runner: { describe, test } });
});
