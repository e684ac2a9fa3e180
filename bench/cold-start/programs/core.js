import { createApp, createRegistry } from "../../../dist/index.js";
import { report } from "./report.js";

const registry = createRegistry();
registry.on("ping").execute(async (n) => n + 1);
const app = createApp({ registry, engine: "memory:", log: "silent", env: {} });
await app.start();
await app.trigger("ping", 1);
report();
