/* What a fresh process does first: `node first-pass.ts COUNT` prints JSON of ms to take the patterns in, MB that they hold, lines a second of the first pass. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { PatternHandler } from "../../src/handler.ts";
import { IndexedMatcher } from "../../src/patterns/indexed-matcher.ts";
import { lines, patterns } from "./log-lines.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // what the flag puts there

/** Handlers as `reOn` makes them. */
export function handlersOf(all: readonly RegExp[]): PatternHandler[] {
  return all.map((pattern, n) => ({
    kind: "pattern",
    name: `handler-${n}`,
    field: "content",
    pattern,
    options: {},
    site: "",
    fn: () => {},
  }));
}

if (import.meta.main) {
  const count = Number(process.argv[2]);
  const handlers = handlersOf(patterns(count));
  const written = lines(count);
  const before = held();
  const start = performance.now();
  const matcher = new IndexedMatcher();
  for (const handler of handlers) matcher.add(handler);
  const ms = performance.now() - start;
  const mb = (held() - before) / 1e6;
  const first = performance.now();
  let found = 0;
  for (const line of written) found += matcher.match("content", line).length;
  const rate = (written.length / (performance.now() - first)) * 1_000;
  console.log(JSON.stringify({ ms, mb, rate, found }));
}

function held(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
