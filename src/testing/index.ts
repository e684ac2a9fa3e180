// The testing kit: `import { createTestApp } from "decorator-framework/testing"`. It needs no particular test runner.

// An app on the memory engine, under a virtual clock.
export { createTestApp, type TestApp, type TestAppOptions, type TestRun } from "./create-test-app.ts";
export type { DeadMessage, PublishedMessage } from "./recording-engine.ts";

// A clock that stands still until a test moves it.
export { VirtualClock } from "./virtual-clock.ts";

// The suite that every engine passes, for authors of engines.
export { runConformance, type ConformanceOptions, type ConformanceSetup } from "./conformance/index.ts";
