/* A process that publishes one message to all who want it, as often as it is told to, until it is killed. */
import { systemClock } from "../../../src/clock.ts";
import { redisEngine } from "../../../src/engines/redis/engine.ts";

const [, , url = "", id = ""] = process.argv;
const engine = redisEngine(url);
await engine.start({
  clock: systemClock,
  instance: { id, host: "host", pid: process.pid, version: "1.0.0", startedAt: Date.now() },
  lease: 1_000,
});
process.on("message", (payload: string) => {
  engine.queue.publish([{ event: "e", payload, priority: 0, due: 0 }]).then(
    () => process.send?.("published"),
    () => process.send?.("failed"),
  );
});
process.send?.("ready");
