/* What it costs to answer a text command among many, and to declare one. */
import { CommandDispatcher, createRegistry } from "../../dist/index.js";
import { type Contest, nanoseconds, type Run } from "../measure/contest.ts";
import { andAhead, atMostScaled, type MeasureOptions, type Row, rowOf } from "../measure/row.ts";
import { handler, NAME, texts, USAGE } from "./backup.ts";
import { Router } from "./limit.ts";
import { commandPeers, type Handle, registeringPeers } from "./peers.ts";

/** How many commands, and what the limit took on the machine on which the goals were set. */
const SIZES = [
  [10, 510],
  [1_000, 590],
  [10_000, 590],
] as const;
/** The limit of registering: a map that is filled. */
const REGISTERED = 10_000;

export async function measure(options: MeasureOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [count, limitWas] of SIZES) {
    const figures = await nanoseconds(await answering(count, options), options);
    const goal = andAhead(atMostScaled(1_000, "ns", limitWas));
    rows.push(rowOf(`text to reply, among ${count.toLocaleString("en")}`, "ns", figures, goal));
  }
  rows.push(
    rowOf("declaring a command", "ns", await declaring(options), {
      text: "≤ 2,000 ns",
      met: ({ ours }) => ours <= 2_000,
    }),
  );
  return rows;
}

async function answering(count: number, options: MeasureOptions): Promise<Contest> {
  const registry = createRegistry();
  const router = new Router();
  for (let n = 0; n < count; n++) {
    registry.commandOn(`${NAME}${n}`, `/${NAME}${n} ${USAGE}`).execute(handler);
    router.add(`/${NAME}${n}`, handler);
  }
  const commands = new CommandDispatcher({ registry });
  const asked = texts(count);
  const text = (n: number): string => asked[n % asked.length] as string; // the rest is an index
  const peers = await commandPeers(count, options);
  // Loops of their own, so that the compiler can put what each calls into it.
  return {
    ours: async (times) => {
      let sum = 0;
      for (let n = 0; n < times; n++) sum += (await commands.handle(text(n))).data as number;
      return sum;
    },
    limit: async (times) => {
      let sum = 0;
      for (let n = 0; n < times; n++) sum += (await router.handle(text(n))) as number;
      return sum;
    },
    peers: Object.fromEntries(Object.entries(peers).map(([name, handle]) => [name, through(handle, text)])),
  };
}

function through(handle: Handle, text: (n: number) => string): Run {
  return async (times) => {
    for (let n = 0; n < times; n++) await handle(text(n));
    return times;
  };
}

/** Nanoseconds for each of many. */
async function declaring(options: MeasureOptions) {
  const each =
    (register: (count: number) => unknown): Run =>
    (times) => {
      for (let n = 0; n < times; n++) register(REGISTERED);
      return times;
    };
  const peers = await registeringPeers(options);
  const figures = await nanoseconds(
    {
      ours: each((count) => {
        const registry = createRegistry();
        const commands = new CommandDispatcher({ registry });
        for (let n = 0; n < count; n++)
          registry.commandOn(`${NAME}${n}`, `/${NAME}${n} ${USAGE}`).execute(handler);
        return commands;
      }),
      limit: each((count) => {
        const router = new Router();
        for (let n = 0; n < count; n++) router.add(`/${NAME}${n}`, handler);
        return router;
      }),
      peers: Object.fromEntries(Object.entries(peers).map(([name, register]) => [name, each(register)])),
    },
    options,
  );
  const share = (whole: number): number => whole / REGISTERED;
  return {
    ours: share(figures.ours),
    limit: figures.limit === undefined ? undefined : share(figures.limit),
    peers: Object.fromEntries(Object.entries(figures.peers).map(([name, whole]) => [name, share(whole)])),
  };
}
