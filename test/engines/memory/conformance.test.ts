import { describe, test } from "vitest";
import { runConformance } from "../../../src/testing/conformance/index.ts";
import { memory } from "./setup.ts";

runConformance({ ...memory, runner: { describe, test } });
