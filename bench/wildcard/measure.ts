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
  const found = await wildcardPeers(count, options);
  const asked = names(count);
  const over = (find: Find): Run => findAll(asked, find);
  const peers = Object.fromEntries(Object.entries(found).map(([name, find]) => [name, over(find)]));
  return {
    cached: {
      ours: over((name) => index.match(name).length),
      limit: over((name) => trie.match(name).length),
      peers,
    },
    uncached: {
      ours: over((name) => index.find(name).length),
      limit: over((name) => trie.find(name).length),
      peers,
    },
  };
}

/** A loop of its own for each, so that the compiler can put what it calls into it. */
function findAll(asked: readonly string[], find: Find): Run {
  const missed = asked.filter((name) => find(name) === 0);
  if (missed.length > 0) throw new Error(`does not find who subscribed to ${missed[0]}`);
  const body = "let sum = 0; for (let n = 0; n < times; n++) sum += find(asked[n % asked.length]); return sum;";
  // oxlint-disable-next-line typescript/no-implied-eval -- the text is ours
  return new Function("asked", "find", `return (times) => { ${body} };`)(asked, find) as Run;
}
