/* What all questions about delivery on an engine have in common: who takes part, in several rounds, and the rows of it. */
import { median } from "../measure/contest.ts";
import { type Goal, type MeasureOptions, type Row, rowOf } from "../measure/row.ts";
import { COUNTS, type Figure } from "./figure.ts";

/** Measures one way of doing it: a figure for each row. */
export type Contestant = () => Promise<Figure[]>;

export interface Contestants {
  /** The bare work, with nothing around it. */
  readonly limit: Contestant;
  /** Ours: a whole app. */
  readonly app: Contestant;
  /** Our engine without an app, for rows of their own. */
  readonly engine?: Contestant;
  readonly peers: Readonly<Record<string, Contestant>>;
}

/** The rows of one engine. @param goals By the name of the row. */
export async function rowsOf(
  { limit, app, engine, peers }: Contestants,
  goals: Readonly<Record<string, Goal>>,
  { quick }: MeasureOptions,
): Promise<Row[]> {
  if (quick) for (const key of Object.keys(COUNTS) as (keyof typeof COUNTS)[]) COUNTS[key] /= 5;
  const all = { limit, app, ...(engine && { engine }), ...peers };
  const rows: Row[] = [];
  for (const [row, { unit, values }] of await inRounds(all, quick ? 1 : 3)) {
    const of = (name: string): number => median(values[name] ?? []);
    const measured = Object.keys(peers).filter((name) => values[name]);
    const others = {
      peers: Object.fromEntries(measured.map((name) => [name, of(name)])),
      limit: of("limit"),
    };
    rows.push(rowOf(row, unit, { ours: of("app"), ...others }, goals[row]));
    if (engine) rows.push(rowOf(`${row}; engine alone`, unit, { ours: of("engine"), ...others }));
  }
  return rows;
}

interface Samples {
  readonly unit: Figure["unit"];
  /** What each contestant reached in each round. */
  readonly values: Record<string, number[]>;
}

/** All in turn, several times: rates move from minute to minute. */
async function inRounds(
  contestants: Readonly<Record<string, Contestant>>,
  rounds: number,
): Promise<Map<string, Samples>> {
  const samples = new Map<string, Samples>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, contestant] of Object.entries(contestants)) {
      for (const { row, unit, value } of await contestant()) {
        const of = samples.get(row) ?? { unit, values: {} };
        samples.set(row, of);
        (of.values[name] ??= []).push(value);
      }
    }
  }
  return samples;
}
