import { BLOCKED, READY, WAITING } from "./states.ts";

/** What is dumped, each statement in pages: $1 is the first column of the last row, $2 how many. */
export const DUMP = {
  subscription:
    "select no, handler, topic from {s}.subscription where active and no > $1 order by no limit $2",
  delivery: `select d.seq, coalesce(d.message, d.seq), f.id, b.handler, d.event, d.payload, d.headers, d.attempt, d.priority, d.key,
    d.published, d.due, coalesce(d.until, d.due), d.expires, d.steps, d.errors
    from {s}.delivery d join {s}.subscription b on b.no = d.sub and b.active left join {s}.foreign_id f on f.seq = coalesce(d.message, d.seq)
    where d.seq > $1 order by d.seq limit $2`,
  dead_letter: `select l.no, coalesce(l.message, l.seq), f.id, l.handler, l.target, l.event, l.payload, l.headers, l.attempt, l.priority, l.key,
    l.published, l.due, l.died, l.reason, l.steps, l.errors
    from {s}.dead_letter l left join {s}.foreign_id f on f.seq = coalesce(l.message, l.seq) where l.no > $1 order by l.no limit $2`,
  dedupe: `select d.key, d.seq, f.id, d.until from {s}.dedupe d left join {s}.foreign_id f on f.seq = d.seq where d.key > $1 order by d.key limit $2`,
  schedule: `select s.task, s.hash, s.definition, s.next, s.paused, s.last_tick, s.last_success, s.fired,
    (select json_agg(json_build_object('tick', r.tick, 'startedAt', r.started, 'duration', r.duration, 'outcome', r.outcome,
      'instance', r.instance, 'attempt', r.attempt, 'error', r.error) order by r.no desc) from {s}.schedule_run r where r.task = s.task)
    from {s}.schedule s where s.task > $1 order by s.task limit $2`,
  limit: `select l.key, l.until, (select array_agg(u.at order by (u.slot - l.used % l.size + l.size) % l.size) from {s}.limiter_use u
    where u.key = l.key) from {s}.limiter l where l.key > $1 order by l.key limit $2`,
  state: "select key, value from {s}.state where key > $1 order by key limit $2",
} as const;

/** Of a message from elsewhere: its number, which is the one of its first row. */
const FIRST = "coalesce(r.first, (select f.seq from {s}.foreign_id f where f.id = r.id))";

/** What stores records, each statement all of one kind: $1 is a JSON array of them. */
export const LOAD = {
  ids: `insert into {s}.foreign_id (seq, id) select nextval('{s}.delivery_seq'), r.id from
    (select id from rows from (json_to_recordset($1) as (id text, first bigint)) with ordinality i(id, first, ord)
      where first is null group by id order by min(ord)) r on conflict (id) do nothing`,
  subscriptions: `insert into {s}.subscription as b (handler, topic, active)
    select r.handler, r.topic, true from json_to_recordset($1) r(handler text, topic text)
    on conflict (handler) do update set topic = excluded.topic, active = true`,
  /** A delivery may come without its subscription: it waits for one. */
  handlers: `insert into {s}.subscription as b (handler, topic, active)
    select distinct r.handler, null, true from json_to_recordset($1) r(handler text)
    on conflict (handler) do update set topic = null, active = true where not b.active`,
  deliveries: `insert into {s}.delivery (seq, published, due, until, expires, message, token, priority, sub, attempt, state, event, key,
      headers, steps, errors, payload)
    select r.seq, r.published, r.due, case when r.next > $2 then r.next end, r.expires, ${FIRST}, 0, r.priority, b.no, r.attempt,
      case when r.key is not null and (row_number() over (partition by b.no, r.key order by r.seq) > 1
        or exists (select from {s}.delivery d where d.sub = b.no and d.key = r.key)) then ${BLOCKED}
        when r.next > $2 then ${WAITING} else ${READY} end,
      r.event, r.key, r.headers, r.steps, r.errors, r.payload
    from (select nextval('{s}.delivery_seq') as seq, o.* from json_to_recordset($1) o(id text, first bigint, published bigint, due bigint,
      next bigint, expires bigint, priority bigint, handler text, attempt int, event text, key text, headers text, steps text,
      errors text, payload text)) r join {s}.subscription b on b.handler = r.handler`,
  /** Each has a block: behind an unrouted one numbers stay free that a replay may need. */
  dead: `insert into {s}.dead_letter (seq, message, published, due, died, priority, attempt, handler, target, event, key, reason, headers,
      steps, errors, payload)
    select r.seq, ${FIRST}, r.published, r.due, r.died, r.priority, r.attempt, r.handler, r.target, r.event, r.key, r.reason, r.headers,
      r.steps, r.errors, r.payload
    from (select nextval('{s}.delivery_seq') as seq, o.*
      from json_to_recordset($1) o(id text, first bigint, published bigint, due bigint, died bigint, priority bigint, attempt int,
      handler text, target text, event text, key text, reason text, headers text, steps text, errors text, payload text)) r`,
  dedupes: `insert into {s}.dedupe (key, seq, until)
    select r.key, ${FIRST}, r.until from json_to_recordset($1) r(id text, first bigint, key text, until bigint)
    on conflict (key) do update set seq = excluded.seq, until = excluded.until`,
  schedules: `insert into {s}.schedule (task, hash, definition, next, paused, last_tick, last_success, fired, runs)
    select r.* from json_to_recordset($1) r(task text, hash text, definition text, next bigint, paused boolean, last_tick bigint,
      last_success bigint, fired bigint, runs bigint)`,
  runs: `insert into {s}.schedule_run (task, place, no, tick, started, duration, outcome, instance, attempt, error)
    select r.* from json_to_recordset($1) r(task text, place int, no bigint, tick bigint, started bigint, duration bigint, outcome text,
      instance text, attempt int, error text)`,
  limits: `insert into {s}.limiter (key, size, used, last, until) select r.* from json_to_recordset($1) r(key text, size bigint, used bigint,
    last bigint, until bigint)`,
  uses: "insert into {s}.limiter_use (key, slot, at) select r.* from json_to_recordset($1) r(key text, slot bigint, at bigint)",
  states: `insert into {s}.state (key, value) select r.* from json_to_recordset($1) r(key text, value text)
    on conflict (key) do update set value = excluded.value`,
} as const;

const HELD = ["delivery", "dead_letter", "dedupe", "schedule", "limiter", "state"];

export const IS_EMPTY = `select ${HELD.map((name) => `not exists (select from {s}.${name})`).join(" and ")}
  and not exists (select from {s}.subscription where active)`;
/** What runs is gone for its holder, too. */
export const CLEAR = [
  ...[...HELD, "limiter_use", "pending_key", "foreign_id"].map((name) => `delete from {s}.${name}`),
  "update {s}.subscription set active = false",
  "update {s}.meta set catalog = catalog + 1",
];
export const NOTE_FOREIGN = `update {s}.meta set catalog = catalog + 1, foreign_up_to = coalesce((select max(seq) from {s}.foreign_id), 0)`;
export const SEAL = "update {s}.meta set seal = $1, catalog = catalog + 1";
/** The transactions that may have read that the schema is open. */
export const STILL_OPEN = `select virtualtransaction from pg_locks where relation = '{s}.meta'::regclass
  and database = (select oid from pg_database where datname = current_database()) and pid <> pg_backend_pid()`;
