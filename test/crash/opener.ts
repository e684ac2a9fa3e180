/* A process to be killed while it opens data files, one after the other: new ones, and ones of an older version. */
import { existsSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { sqliteEngine } from "../../src/engines/sqlite/engine.ts";
import { dieAt } from "./crash-point.ts";

const [, , folder = ".", crashAt = "Infinity"] = process.argv;
dieAt(Number(crashAt), () => {});
// Usually done at the end, which it does not live to see.
flushCompileCache();
process.stdout.write("ready\n");

for (let n = 0; ; n++) {
  for (const path of [join(folder, `new-${n}.db`), join(folder, `old-${n}.db`)]) {
    if (path.includes("old") && !existsSync(path)) continue;
    const engine = sqliteEngine(`sqlite:${path}`);
    const instance = {
      id: `${process.pid}-${n}`,
      host: "host",
      pid: process.pid,
      version: "1.0.0",
      startedAt: 0,
    };
    await engine.start({ clock: systemClock, instance, lease: 30_000 });
    await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
    // Some stay open.
    if (n % 3 !== 0) await engine.stop();
  }
}
