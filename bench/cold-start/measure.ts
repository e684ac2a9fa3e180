/* How long a fresh process takes until its first event is handled (of servers: the first that is posted to them), and its memory then. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { median } from "../measure/contest.ts";
import { peersOf } from "../measure/peers.ts";
import { atMostScaled, type Figures, type MeasureOptions, type Row, rowOf } from "../measure/row.ts";

/** What a program reports; see programs/report.js. */
interface Start {
  readonly ms: number;
  readonly mb: number;
}

const LIMIT = "node";
const OURS = ["core", "core-cron", "http"];
const PEERS = ["eventemitter2-croner", "moleculer", "hono", "fastify"];
/** Those whose events come over HTTP. */
const SERVERS = ["hono", "fastify"];
/** What plain Node took on the machine on which the goals were set. */
const NODE_MS = 24;
const NODE_MB = 44;

const execute = promisify(execFile);

export async function measure(options: MeasureOptions): Promise<Row[]> {
  const peers = await peersOf(Object.fromEntries(PEERS.map((name) => [name, () => run(name)])), options);
  const names = [LIMIT, ...OURS, ...Object.keys(peers)];
  const starts = new Map(names.map((name): [string, Start[]] => [name, []]));
  for (let round = 0; round < (options.quick ? 7 : 21); round++) {
    for (const name of names) starts.get(name)?.push(await run(name));
  }
  return [
    ...rowsOf(starts, "core", "core"),
    ...rowsOf(starts, "core and a cron line", "core-cron"),
    ...rowsOf(starts, "with HTTP", "http"),
  ];
}

/** Runs a program in a process that knows nothing of this one's settings. */
async function run(name: string): Promise<Start> {
  const file = join(import.meta.dirname, "programs", `${name}.js`);
  const { stdout } = await execute(process.execPath, [file], { env: {} });
  return JSON.parse(stdout) as Start;
}

function rowsOf(
  starts: ReadonlyMap<string, readonly Start[]>,
  row: string,
  ours: "core" | "core-cron" | "http",
): Row[] {
  const figures = (unit: keyof Start): Figures => {
    const of = (name: string): number => median((starts.get(name) ?? []).map((start) => start[unit]));
    const rivals = PEERS.filter((name) => starts.has(name) && SERVERS.includes(name) === (ours === "http"));
    return {
      ours: of(ours),
      peers: Object.fromEntries(rivals.map((name) => [name, of(name)])),
      limit: of(LIMIT),
    };
  };
  const [ms, mb] = ours === "http" ? [85, 65] : [35, 50];
  const judged = ours !== "core-cron"; // croner itself takes part of what is left then
  return [
    rowOf(row, "ms", figures("ms"), judged ? atMostScaled(ms, "ms", NODE_MS) : undefined),
    rowOf(`${row}, memory`, "MB", figures("mb"), judged ? atMostScaled(mb, "MB", NODE_MB) : undefined),
  ];
}
