/* What it costs to find the handlers of an event among many subscriptions with stars, for names seen before and for new ones. */
import { TopicIndex } from "../../src/topic.ts";
import { type Contest, nanoseconds, type Run } from "../measure/contest.ts";
import {
  andAhead,
  atMostScaled,
  type Figures,
  type MeasureOptions,
  type Row,
  rowOf,
} from "../measure/row.ts";
import { Trie } from "./limit.ts";
import { type Find, wildcardPeers } from "./peers.ts";
import { names, topics } from "./topics.ts";

/** How many subscriptions, and what the limit took for a name seen before on the machine on which the goals were set. */
const SIZES = [
  [10, 15],
  [1_000, 20],
  [10_000, 21],
] as const;
/** The same of new names, among 10: their goal does not grow with the subscriptions. */
const NEW_NAME_AMONG_10 = 229;
/** How many names are asked for in turn. */
const SEEN = 64;
const NEW = 256;

export async function measure(options: MeasureOptions): Promise<Row[]> {
  const rows: Row[] = [];
  let smallest: Figures | undefined;
  for (const [count, limitWas] of SIZES) {
    const among = `among ${count.toLocaleString("en")}`;
    const { cached, uncached } = await contests(count, options);
    const seen = await nanoseconds(cached, options);
    rows.push(rowOf(`${among}, name seen before`, "ns", seen, andAhead(atMostScaled(30, "ns", limitWas))));
    const fresh = await nanoseconds(uncached, options);
    smallest ??= fresh;
    const flat = atMostScaled(500, "ns", NEW_NAME_AMONG_10, { row: "among 10", limit: smallest.limit });
    rows.push(rowOf(`${among}, new name`, "ns", fresh, flat));
  }
  return rows;
}

async function contests(
  count: number,
  options: MeasureOptions,
): Promise<Record<"cached" | "uncached", Contest>> {
  const index = new TopicIndex<symbol>();
  const trie = new Trie<symbol>();
  for (const topic of topics(count)) {
    const handler = Symbol(topic);
    index.add(topic, handler);
    trie.add(topic, handler);
  }
  const find = await wildcardPeers(count, options);
  const few = names(count, SEEN);
  const many = names(count, NEW);
  const known = (n: number): string => few[n % few.length] as string; // the rest is an index
  const any = (n: number): string => many[n % many.length] as string;
  // Loops of their own, so that the compiler can put what each calls into it.
  return {
    cached: {
      ours: (times) => {
        let sum = 0;
        for (let n = 0; n < times; n++) sum += index.match(known(n)).length;
        return sum;
      },
      limit: (times) => {
        let sum = 0;
        for (let n = 0; n < times; n++) sum += trie.match(known(n)).length;
        return sum;
      },
      peers: peersOver(few, find),
    },
    uncached: {
      ours: (times) => {
        let sum = 0;
        for (let n = 0; n < times; n++) sum += index.find(any(n)).length;
        return sum;
      },
      limit: (times) => {
        let sum = 0;
        for (let n = 0; n < times; n++) sum += trie.find(any(n)).length;
        return sum;
      },
      peers: peersOver(many, find),
    },
  };
}

function peersOver(asked: readonly string[], peers: Readonly<Record<string, Find>>): Record<string, Run> {
  const runs = Object.entries(peers).map(([peer, find]): [string, Run] => {
    const missed = asked.find((name) => find(name) === 0);
    if (missed !== undefined) throw new Error(`${peer} does not find who subscribed to ${missed}.`);
    return [peer, (times) => findAll(asked, find, times)];
  });
  return Object.fromEntries(runs);
}

function findAll(asked: readonly string[], find: Find, times: number): number {
  let sum = 0;
  for (let n = 0; n < times; n++) sum += find(asked[n % asked.length] as string); // the rest is an index
  return sum;
}
