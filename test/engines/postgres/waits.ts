import type { Setup } from "../../processes/setup.ts";
import { Worker } from "../../processes/worker-process.ts";

/** How long each of ten messages waits, in milliseconds, that one process publishes and another handles. */
export async function waitsOf(setup: Setup): Promise<number[]> {
  const [worker, publisher] = [await Worker.start(setup), await Worker.start({ ...setup, idle: true })];
  const waits: number[] = [];
  for (let n = 0; n < 10; n++) {
    await publisher.publish([{ n }]);
    const { at: began } = await worker.says(`began ${n} 1`);
    const { at: published } = publisher.lines.findLast(({ text }) => text.startsWith("published")) ?? {
      at: began,
    };
    waits.push(Math.round(began - published));
    await worker.says(`ended ${n} 1`);
  }
  return waits;
}
