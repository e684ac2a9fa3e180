/* The limit: a binary heap of moments and one timer, and nothing around it; of cron lines, the parsed bits of the minute. */
import { type Contestant, intervalOf, lineOf, nextOf } from "./work.ts";

/** One of many. */
interface Item {
  due: number;
  readonly next: (after: number) => number;
  readonly run: (due: number) => void;
}

export const limit: Contestant = {
  prepare: (kind, count, tick) => () => {
    const heap: Item[] = [];
    const now = Date.now();
    for (let at = 0; at < count; at++) {
      const next = kind === "intervals" ? interval(intervalOf(at)) : line(lineOf(at));
      push(heap, { due: next(now), next, run: (due) => tick(due) });
    }
    arm(heap);
  },
};

function interval(every: number): Item["next"] {
  return (after) => nextOf(every, after);
}

/** Just what {@link lineOf} makes: a second, and a step of minutes. */
function line(text: string): Item["next"] {
  const [second = "0", minute = "*/1"] = text.split(" ", 2);
  const step = 60_000 * Number(minute.slice(2));
  const shift = 1_000 * Number(second);
  return (after) => nextOf(step, after - shift) + shift;
}

/** The wait between two turns: what falls due meanwhile shares the timer. */
const GATHER_MS = 2;

function arm(heap: Item[], least = 0): void {
  const due = heap[0]?.due;
  if (due === undefined) return;
  setTimeout(
    () => {
      const now = Date.now();
      for (let item = heap[0]; item && item.due <= now; item = heap[0]) {
        item.run(item.due);
        item.due = item.next(now);
        sink(heap, item, 0);
      }
      arm(heap, GATHER_MS);
    },
    Math.max(least, due - Date.now()),
  );
}

function push(heap: Item[], item: Item): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Item; // parent < at
    if (above.due <= item.due) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = item;
}

function sink(heap: Item[], item: Item, from: number): void {
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    const [left, right] = [heap[child], heap[child + 1]];
    if (left === undefined) break;
    const smaller = right !== undefined && right.due < left.due ? (child++, right) : left;
    if (smaller.due >= item.due) break;
    heap[at] = smaller;
    at = child;
  }
  heap[at] = item;
}
