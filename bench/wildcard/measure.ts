/* What it costs to find the handlers of an event among many subscriptions with stars, for names seen before and for new ones. */
import { TopicIndex } from "../../dist/topic.js";
import { type Contest, nanoseconds, type Run } from "../measure/contest.ts";
import { andAhead, atMost, type MeasureOptions, type Row, rowOf } from "../measure/row.ts";
import { Trie } from "./limit.ts";
import { type Find, wildcardPeers } from "./peers.ts";
import { names, topics } from "./topics.ts";

/** How many subscriptions, and what the limit took on the machine on which the goals were set: cached, and not. */
const SIZES = [
  [10, 15, 229],
  [1_000, 20, 319],
  [10_000, 21, 500],
] as const;

export async function measure(options: MeasureOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [count, cachedLimit, uncachedLimit] of SIZES) {
    const { cached, uncached } = await contests(count, options);
    const among = `among ${count.toLocaleString("en")}`;
    rows.push(
      rowOf(`${among}, name seen before`, "ns", await nanoseconds(cached, options), andAhead(atMost(30, "ns", cachedLimit))),
      rowOf(`${among}, new name`, "ns", await nanoseconds(uncached, options), atMost(500, "ns", uncachedLimit)),
    );
  }
  return rows;
}

async function contests(count: number, options: MeasureOptions): Promise<Record<"cached" | "uncached", Contest>> {
  const index = new TopicIndex<symbol>();
  const trie = new Trie<symbol>();
  for (const topic of topics(count)) {
    const handler = Symbol(topic);
    index.add(topic, handler);
    trie.add(topic, handler);
  }
  const find = await wildcardPeers(count, options);
  const few = names(count, 64);
  const many = names(count, 1_000);
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
    const missed = asked.slice(0, 64).find((name) => find(name) === 0);
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
