/* A process that moves or restores a store, and kills itself in the middle: node carrier.ts migrate FROM TO PIECES MS, or restore FILE TO PIECES MS. */
import { migrate, restore } from "../../src/transfer/transfer.ts";

const [what, from = "", to = "", pieces, ms] = process.argv.slice(2);
let left = Number(pieces);
const die = (): boolean => process.kill(process.pid, "SIGKILL");
const onProgress = (): void => void (--left === 0 && setTimeout(die, Number(ms)));
if (left === 0) setTimeout(die, Number(ms));
await (what === "migrate"
  ? migrate({ from, to, onProgress })
  : restore({ file: from, engine: to, onProgress }));
die();
