/* The same question as `backlog`, on a Redis server. A million messages take it about 350 MB. */
import { compared } from "../backlog/stock.ts";
import type { MeasureOptions, Row } from "../measure/row.ts";
import { drop, urlOf } from "../redis/figure.ts";

const PREFIX = "bench-backlog";

export async function measure(options: MeasureOptions): Promise<Row[]> {
  await drop(`{${PREFIX}`);
  try {
    return await compared({ few: urlOf(`${PREFIX}-few`), many: urlOf(`${PREFIX}-many`) }, options);
  } finally {
    await drop(`{${PREFIX}`);
  }
}
