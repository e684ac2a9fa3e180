/* The same handler in an app that the program's `start` runs. */
import { createApp, createRegistry } from "decorator-framework";
import { declareWork } from "./work.ts";

const registry = createRegistry();
declareWork(registry);

export const app = createApp({ registry, http: { port: 0, host: "127.0.0.1" } });
