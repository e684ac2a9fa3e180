/* The limit: Node, and a function that is called. */
import { report } from "./report.js";

const ping = async (n) => n + 1;
await ping(1);
report();
