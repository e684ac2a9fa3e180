import { describe, expect, test } from "vitest";
import { newFile, Worker } from "../../processes/worker-process.ts";
import { server, testSchema, urlOf } from "./server.ts";

/* What other servers do, too, is test/processes/servers.test.ts. */

describe.skipIf(server.absent !== "")(`several processes on one server${server.absent}`, () => {
  test("with the usual lease of half a minute it is taken over within 15 s, since its session has ended", async () => {
    const setup = { path: newFile(), engine: urlOf(testSchema()) };
    const [dying, neighbour] = [await Worker.start(setup), await Worker.start({ ...setup, idle: true })];
    await neighbour.publish([{ n: 1, ask: "wait" }]);
    await dying.says("began 1 1");
    // A neighbour judges nobody while its own session is young.
    const heir = await Worker.start(setup);
    await dying.kill();
    const { at: died } = await dying.says("exit");
    const { at: again } = await heir.says("began 1 2");
    console.log(`taken over ${Math.round(again - died)} ms after the death, with a lease of 30 s`);
    expect(again - died).toBeLessThan(15_000);
  }, 60_000);
});
