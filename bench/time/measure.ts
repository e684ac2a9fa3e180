/* What many timers cost while they are kept, and how late they fire; and a schedule of a second that three processes share. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { peersOf } from "../measure/peers.ts";
import { atMost, type Figures, type Goal, type MeasureOptions, type Row, rowOf } from "../measure/row.ts";
import type { Kept } from "./keep.ts";
import { bullmqOnThree, type Lateness, oursOnThree } from "./three.ts";
import type { Kind } from "./work.ts";

const MANY = 100_000;
const FEW = 1_000;
/** Of the others a hundred thousand lines do not fit into a heap of six gigabytes, or take a whole core. */
const MANY_LINES_PEERS = ["cron", "node-cron"];
const LINES_PEERS = ["croner", ...MANY_LINES_PEERS, "node-schedule"];

const execute = promisify(execFile);

export async function measure(options: MeasureOptions): Promise<Row[]> {
  const { quick } = options;
  const ms = quick ? 1_500 : 10_000;
  const peers = (names: readonly string[]): readonly string[] => (options.peers ? names : []);
  const intervals = await all(
    "intervals",
    MANY,
    ms,
    peers(["setInterval", ...(quick ? [] : ["toad-scheduler"])]),
  );
  const lines = await all("lines", MANY, ms, peers(quick ? [] : MANY_LINES_PEERS));
  const few = await all("lines", FEW, ms, peers(quick ? ["croner"] : LINES_PEERS));
  const idle = { ours: await keep("ours", "idle", MANY, ms) };
  return [
    ...manyRows("100,000 intervals", intervals, { cpu: 60, bytes: 350, register: undefined, p99: 4 }),
    ...manyRows("100,000 cron lines", lines, { cpu: 25, bytes: 1_000, register: 5_000, p99: undefined }),
    row("1,000 cron lines, CPU a second", "ms", few, "cpu", atMost(2, "ms")),
    row("100,000 due in a year, CPU a second", "ms", idle, "cpu", atMost(1, "ms")),
    ...(await threeRows(options)),
  ];
}

type Contest = Readonly<Record<string, Kept>>;

/** All one after the other, each in a process of its own. */
async function all(kind: Kind, count: number, ms: number, peers: readonly string[]): Promise<Contest> {
  const kept: Record<string, Kept> = {};
  for (const name of ["limit", "ours", ...(count === MANY ? ["declared"] : [])]) {
    kept[name] = await keep(name, kind, count, ms);
  }
  const ready = await peersOf(
    Object.fromEntries(peers.map((name) => [name, () => keep(name, kind, count, ms)])),
    { peers: true },
  );
  return { ...kept, ...ready };
}

async function keep(name: string, kind: Kind, count: number, ms: number): Promise<Kept> {
  const program = join(import.meta.dirname, "keep.ts");
  const args = ["--expose-gc", program, name, kind, String(count), String(ms)];
  const { stdout } = await execute(process.execPath, args, {
    timeout: 300_000,
    maxBuffer: 2 ** 28, // node-cron complains of each tick that it was late for
  });
  return JSON.parse(stdout) as Kept; // as keep.ts prints it
}

interface Goals {
  readonly cpu: number;
  readonly bytes: number;
  /** Nanoseconds. */
  readonly register: number | undefined;
  readonly p99: number | undefined;
}

function manyRows(title: string, contest: Contest, { cpu, bytes, register, p99 }: Goals): Row[] {
  const { declared, ...others } = contest;
  const whole: Contest = { ...others, ...(declared && { ours: declared }) };
  const most = (value: number | undefined, unit: "ms" | "ns") =>
    value === undefined ? undefined : atMost(value, unit);
  return [
    row(`${title}, CPU a second`, "ms", others, "cpu", atMost(cpu, "ms")),
    row(`${title}, bytes each, beside the declaration`, "B", others, "bytes", atMost(bytes, "B")),
    row(`${title}, bytes each, with the declaration`, "B", whole, "bytes"),
    row(`${title}, register, beside the declaration`, "ns", others, "register", most(register, "ns")),
    row(`${title}, register, with the declaration`, "ns", whole, "register"),
    row(`${title}, late p99`, "ms", others, "p99", most(p99, "ms")),
  ];
}

function row(title: string, unit: Row["unit"], contest: Contest, what: keyof Kept, goal?: Goal): Row {
  const scale = what === "register" ? 1_000 : 1;
  const {
    ours = Number.NaN,
    limit,
    ...peers
  } = mapped(contest, (kept) =>
    asleep(kept, what, contest) ? Number.NaN : scale * (kept[what] ?? Number.NaN),
  );
  return rowOf(title, unit, { ours, limit, peers: known(peers) }, goal);
}

/** Whether it costs nothing because it has not begun: toad-scheduler counts its intervals from the start of the process. */
function asleep({ ticks }: Kept, what: keyof Kept, { ours }: Contest): boolean {
  return what === "cpu" && ticks === 0 && ours !== undefined && ours.ticks > 0;
}

async function threeRows(options: MeasureOptions): Promise<Row[]> {
  const seconds = options.quick ? 6 : 60;
  const ours = await oursOnThree(seconds);
  const peers = await peersOf({ bullmq: () => bullmqOnThree(seconds) }, options);
  const figures = (what: keyof Lateness): Figures => ({
    ours: ours[what],
    peers: mapped(peers, (late) => late[what]),
    limit: undefined,
  });
  const title = "each second on three processes, late";
  return [
    rowOf(`${title} p50`, "ms", figures("p50"), atMost(5, "ms")),
    rowOf(`${title} p99`, "ms", figures("p99"), atMost(15, "ms")),
  ];
}

function mapped<T, U>(of: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, map(value)]));
}

/** Those who say it. */
function known(figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).filter(([, figure]) => !Number.isNaN(figure)));
}
