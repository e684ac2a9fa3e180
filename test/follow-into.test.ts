import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { EngineError } from "../src/errors.ts";
import { createRegistry } from "../src/index.ts";
import { createTestApp, type TestApp } from "../src/testing/index.ts";

async function setUp() {
  const folder = await mkdtemp(join(tmpdir(), "follow-into-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "app.log");
  const registry = createRegistry();
  const t = await createTestApp({ registry, log: "silent" });
  onTestFinished(() => t.stop());
  return { file, registry, t };
}

/** Moves the app's time on, while the disk takes its own, until it is so. */
async function advanceUntil(t: TestApp, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${condition.toString()}`);
    await t.advance("1s");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a line whose handler could not reach the engine comes again; one whose handler failed does not", async () => {
  const { file, registry, t } = await setUp();
  const seen: string[] = [];
  registry.reOn("alert", "content", /ERROR \w+/).execute(({ text }) => {
    seen.push(text);
    if (seen.length === 1) throw new EngineError("ENGINE_DOWN", "it does not answer", { retryable: true });
    if (text === "ERROR two") throw new Error("cannot cope");
  });
  await appendFile(file, "ERROR one\nERROR two\nERROR three\n");
  await t.app.follow({ file, fromStart: true });
  await advanceUntil(t, () => seen.length >= 4);
  expect(seen).toEqual(["ERROR one", "ERROR one", "ERROR two", "ERROR three"]);
});

test("the last line of a file that is read from its start is taken without its end, after a second", async () => {
  const { file, registry, t } = await setUp();
  const seen: string[] = [];
  registry.reOn("all", "content", /.+/).execute(({ text }) => void seen.push(text));
  await appendFile(file, "one\nlast");
  const follower = await t.app.follow({ file, fromStart: true });
  await follower.caughtUp();
  expect(seen).toEqual(["one"]);
  await advanceUntil(t, () => seen.length === 2);
  expect(seen).toEqual(["one", "last"]);
});
