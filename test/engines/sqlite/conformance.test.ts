import { describe, test } from "vitest";
import { runConformance } from "../../../src/testing/conformance/index.ts";
import { sqlite } from "./setup.ts";

runConformance({ ...sqlite, runner: { describe, test } });
