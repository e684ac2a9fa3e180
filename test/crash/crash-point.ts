import { DatabaseSync, StatementSync } from "node:sqlite";

/** Called at each point where the process may die, with what it is about to do or has just done. */
type Point = (what: string) => void;

/**
 * Has the process kill itself, as -9 does, at the given point: before or after one of its SQL statements, or wherever
 * else the returned function is called. It hits the places between two statements, which no clock would.
 *
 * @param at The how manieth point; Infinity for none.
 * @param note Told where it dies.
 */
export function dieAt(at: number, note: (what: string) => void): Point {
  let points = 0;
  const point: Point = (what) => {
    if (++points !== at) return;
    note(what);
    process.kill(process.pid, "SIGKILL");
  };
  for (const name of ["run", "get", "all"] as const) {
    // One body for three methods that differ in their results only.
    const method = StatementSync.prototype[name] as (...values: unknown[]) => never;
    StatementSync.prototype[name] = function (this: StatementSync, ...values: unknown[]): never {
      return around(point, this.sourceSQL, () => method.apply(this, values));
    };
  }
  const exec = Reflect.get(DatabaseSync.prototype, "exec") as (sql: string) => void; // called with its object below
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
    // The log is carried over into the file every few commits, so that many kills fall into it.
    const eager = sql.replace(/wal_autocheckpoint = \d+/, "wal_autocheckpoint = 30");
    return around(point, sql, () => exec.call(this, eager));
  };
  return point;
}

function around<T>(point: Point, sql: string, statement: () => T): T {
  const what = phaseOf(sql);
  point(`before ${what}`);
  const result = statement();
  point(`after ${what}`);
  return result;
}

const PHASES: readonly (readonly [string, RegExp])[] = [
  ["migrate", /create table|application_id =|user_version =/],
  ["begin", /^begin/],
  ["commit", /^commit/],
  ["publish", /^insert into delivery/],
  ["claim", /set state = \d, owner = \?, token|from delivery\s+where state = 1/],
  ["settle", /^delete from delivery|^update delivery|insert into dead_letter/],
  ["presence", /instance/],
  ["start", /^pragma (?!data_version)|sqlite_schema|subscription/],
  ["look", /^pragma data_version|from meta/],
];

function phaseOf(sql: string): string {
  return PHASES.find(([, pattern]) => pattern.test(sql))?.[0] ?? "another statement";
}
