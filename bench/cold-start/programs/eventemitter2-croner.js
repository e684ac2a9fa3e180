import { Cron } from "croner";
import EventEmitter2 from "eventemitter2";
import { report } from "./report.js";

const emitter = new EventEmitter2();
// oxlint-disable-next-line typescript/no-misused-promises -- emitAsync awaits it
emitter.on("ping", async (n) => n + 1);
new Cron("0 3 * * *", async () => {});
await emitter.emitAsync("ping", 1);
report();
