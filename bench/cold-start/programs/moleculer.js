import { ServiceBroker } from "moleculer";
import { report } from "./report.js";

const broker = new ServiceBroker({ logger: false });
broker.createService({ name: "service", actions: { ping: async ({ params }) => params + 1 } });
await broker.start();
await broker.call("service.ping", 1);
report();
