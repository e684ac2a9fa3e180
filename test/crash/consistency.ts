import { DatabaseSync } from "node:sqlite";

/** What no data file may hold, and a query that finds it. */
const FAULTS: readonly (readonly [what: string, query: string])[] = [
  [
    "a delivery of an unknown subscription",
    "select seq from delivery where sub not in (select no from subscription)",
  ],
  [
    "a running delivery of nobody",
    "select seq from delivery where state = 0 and (owner is null or owner not in (select no from instance))",
  ],
  ["a holder of what does not run", "select seq from delivery where state <> 0 and owner is not null"],
  [
    "a key with none or several that are active",
    "select sub, key from delivery where key is not null group by sub, key having sum(state <> 3) <> 1",
  ],
  [
    "a key whose first is blocked by one behind it",
    `select seq from delivery d where key is not null and state = 3
       and seq = (select min(seq) from delivery e where e.sub = d.sub and e.key = d.key)`,
  ],
  ["a delivery without a key that is blocked", "select seq from delivery where key is null and state = 3"],
  ["one that waits for no moment", "select seq from delivery where state = 2 and until is null"],
  [
    "a number above which the next may be given twice",
    "select seq from dead_letter where seq > (select max(floor, coalesce((select max(seq) from delivery), 0)) from meta)",
  ],
  ["one that is stored and dead", "select d.seq from delivery d join dead_letter l on l.seq = d.seq"],
];

/** What is wrong with a data file, which nobody has open for writing in a transaction; empty when it is sound. */
export function faultsOf(path: string): string[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const verdicts = db.prepare("pragma integrity_check").all().map(Object.values).flat().map(String);
    const found = FAULTS.flatMap(([what, query]) => {
      const rows = db.prepare(query).all();
      return rows.length === 0 ? [] : [`${what}: ${JSON.stringify(rows.slice(0, 5))}`];
    });
    return [...verdicts.filter((verdict) => verdict !== "ok"), ...found];
  } finally {
    db.close();
  }
}
