/*
 * The same question as `backlog`, on a Postgres server; and whether a worker keeps its rate right after a bulk load, before
 * any ANALYZE: a plan that was made for an empty table would read all of it for each claim.
 */
import { drain, FEW, type Figures, fill, MANY, rowsOf } from "../backlog/stock.ts";
import { median } from "../measure/contest.ts";
import { type MeasureOptions, ofLimit, type Row, rowOf } from "../measure/row.ts";
import { connect, inSchema, SERVER } from "../postgres/figure.ts";

const SCHEMAS = { few: "bench_backlog_few", many: "bench_backlog_many" } as const;

export function measure({ quick }: MeasureOptions): Promise<Row[]> {
  const many = quick ? MANY / 10 : MANY;
  const rounds = quick ? 1 : 5;
  return inSchema(SCHEMAS.few, () =>
    inSchema(SCHEMAS.many, async () => {
      const [few, bulk] = [urlOf("few"), urlOf("many")];
      await fill(bulk, 0);
      // Nobody comes by in between and analyzes it.
      await run(`alter table ${SCHEMAS.many}.delivery set (autovacuum_enabled = off)`);
      await fill(bulk, many);
      const figures = { few: [] as Figures[], many: [] as Figures[] };
      for (let round = 0; round < rounds; round++) {
        await fill(few, FEW);
        figures.few.push(drain(few));
        figures.many.push(drain(bulk));
      }
      await run(`vacuum analyze ${SCHEMAS.many}.delivery`);
      const analyzed = Array.from({ length: rounds }, () => drain(bulk));
      const rate = (of: readonly Figures[]): number => median(of.map((each) => each.rate));
      const loaded = rowOf(
        `drain by 100, ${many.toLocaleString("en")} just loaded (limit: the same after ANALYZE)`,
        "/s",
        { ours: rate(figures.many), peers: {}, limit: rate(analyzed) },
        ofLimit(0.5),
      );
      return [...rowsOf(many, figures), loaded];
    }),
  );
}

function urlOf(which: keyof typeof SCHEMAS): string {
  return `${SERVER}?schema=${SCHEMAS[which]}`;
}

async function run(statement: string): Promise<void> {
  const client = await connect();
  await client.query(statement).finally(() => client.end());
}
