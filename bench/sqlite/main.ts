/* Measures all contestants in turn, several rounds in one sitting, and prints the medians side by side. */
import type { Figure } from "./figure.ts";
import { measure as limit } from "./limit.ts";
import { measure as ours } from "./ours.ts";
import { measure as plainjob } from "./plainjob.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const contestants: Record<string, () => Promise<Figure[]>> = { limit, ours, plainjob };

const samples = new Map<string, Map<string, number[]>>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, measure] of Object.entries(contestants)) {
    for (const { row, value } of await measure()) {
      const of = samples.get(row) ?? new Map<string, number[]>();
      samples.set(row, of);
      of.set(name, [...(of.get(name) ?? []), value]);
    }
  }
}
const median = (values: readonly number[] = []): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
console.table(
  Object.fromEntries(
    Array.from(samples, ([row, of]) => {
      const figures = Object.fromEntries(
        Object.keys(contestants).map((name) => [name, median(of.get(name))]),
      );
      const rounded = Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(4))]);
      const ratio = (figures["ours"] ?? 0) / (figures["limit"] ?? 1);
      return [row, { ...Object.fromEntries(rounded), "ours / limit": Number(ratio.toFixed(2)) }];
    }),
  ),
);
