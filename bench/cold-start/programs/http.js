import { createApp, createRegistry } from "../../../dist/index.js";
import { post } from "./post.js";
import { report } from "./report.js";

const registry = createRegistry();
registry.on("ping").execute(async (n) => n + 1);
const http = { host: "127.0.0.1", port: 0 };
const app = createApp({ registry, engine: "memory:", log: "silent", http, env: {} });
await app.start();
await post(new URL(app.url).port, "/events/ping?wait=true");
report();
