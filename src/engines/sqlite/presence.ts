import type { Instance, Presence } from "../../engine.ts";
import { EngineError } from "../../errors.ts";
import { type ProcessIdentity, identifyProcess, isGone } from "./process-identity.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";
import { removeDelivery } from "./settle.ts";
import { tidy } from "./tidy.ts";
import { READY, RUNNING } from "./states.ts";
import { uptimeOf } from "./uptime.ts";

const IS_TAKEN = "select 1 from instance where id = ?";
const REGISTER = `insert into instance (id, host, pid, version, started, seen, beat, lease, boot, space, process, born)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const LAST_REGISTERED = "select max(no) from instance where id = ?";
const BEAT = "update instance set seen = ?, beat = ? where no = ?";
const OTHERS = "select no, host, beat, lease, boot, space, process, born from instance where no <> ?";
const REMOVE = "delete from instance where no = ?";
const HELD_BY_NOBODY = `select seq, sub, key from delivery
  where sub in (select no from subscription) and state = ${RUNNING} and owner not in (select no from instance)`;
const HELD_BY = `select seq, sub, key from delivery where sub in (select no from subscription) and state = ${RUNNING} and owner = ?`;
const GIVE_BACK = "update delivery set state = ?, owner = null, attempt = attempt - ? where seq = ?";
const INSTANCES = `select id, host, pid, version, started, seen,
  (select count(*) from delivery where sub in (select no from subscription) and state = ${RUNNING} and owner = no) from instance order by no`;

type Held = [seq: number, sub: number, key: string | null];

/** Who is alive: by heartbeat, and by what the system says of its processes. */
export class SqlitePresence implements Presence {
  readonly #seat: Seat;
  readonly #self = identifyProcess();
  #uptime: () => number = () => 0;
  /** When this process last gave a sign of life, in real time: a virtual clock does not tell whether it was suspended. */
  #lastSign = 0;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  /** Whether a process that is gone did not stop properly. */
  findsOrphans(session: Session): Promise<boolean> {
    return session.turn.read(() => othersThan(session).some((other) => this.#isGone(other, session)));
  }

  /** Registers this instance and takes over from those that are certainly gone. */
  async join(session: Session): Promise<void> {
    this.#uptime = uptimeOf(session.clock);
    await session.turn.write(() => {
      if (session.db.get(IS_TAKEN, session.info.id)) throw taken(session);
      this.#register(session);
    });
    await session.turn.write(() => this.#sweep(session));
  }

  /** Gives back all this instance holds without spending an attempt, and ends its presence. */
  leave(session: Session): void {
    giveBack(session, session.db.all<Held>(HELD_BY, session.instance), 1);
    session.db.run(REMOVE, session.instance);
  }

  beat(): Promise<boolean> {
    return this.#seat.write((session) => this.#beat(session));
  }

  sweep(): Promise<number> {
    return this.#seat.write((session) => {
      // It was suspended itself, and its neighbours perhaps with it: they get the time to say that they are alive.
      if (performance.now() - this.#lastSign > session.lease / 2) {
        this.#beat(session);
        return 0;
      }
      tidy(session);
      return this.#sweep(session);
    });
  }

  instances(): Promise<readonly Instance[]> {
    type Row = [string, string, number, string, number, number, number];
    return this.#seat.read(({ db }) =>
      db.all<Row>(INSTANCES).map(([id, host, pid, version, startedAt, lastSeen, running]) => {
        return { id, host, pid, version, startedAt, lastSeen, running };
      }),
    );
  }

  #beat(session: Session): boolean {
    this.#lastSign = performance.now();
    if (session.db.run(BEAT, session.now(), this.#uptime(), session.instance) === 1) return true;
    this.#register(session);
    session.givenUp = false;
    return false;
  }

  #register(session: Session): void {
    const { id, host, pid, version, startedAt } = session.info;
    const { boot, space, born } = this.#self;
    // prettier-ignore
    session.db.run(REGISTER, id, host, pid, version, startedAt, session.now(), this.#uptime(), session.lease, boot, space, this.#self.pid, born);
    session.instance = session.db.get<[number]>(LAST_REGISTERED, id)?.[0] ?? 0;
    this.#lastSign = performance.now();
  }

  #sweep(session: Session): number {
    const now = this.#uptime();
    for (const other of othersThan(session)) {
      if (this.#isGone(other, session) || now - other.beat > other.lease) session.db.run(REMOVE, other.no);
    }
    return giveBack(session, session.db.all<Held>(HELD_BY_NOBODY), 0);
  }

  #isGone(other: Neighbour, session: Session): boolean {
    return isGone(other, this.#self, other.host === session.info.host);
  }
}

/** Another instance in the file. */
interface Neighbour extends ProcessIdentity {
  readonly no: number;
  readonly host: string;
  readonly beat: number;
  readonly lease: number;
}

function othersThan({ db, instance }: Session): Neighbour[] {
  type Row = [number, string, number, number, string, string, number, string];
  return db.all<Row>(OTHERS, instance).map(([no, host, beat, lease, boot, space, pid, born]) => ({
    no,
    host,
    beat,
    lease,
    boot,
    space,
    pid,
    born,
  }));
}

/** Makes running deliveries claimable again; answers how many. */
function giveBack(session: Session, held: readonly Held[], attempts: number): number {
  for (const [seq, sub, key] of held) {
    if (session.catalog.numbered(sub).active) session.db.run(GIVE_BACK, READY, attempts, seq);
    else removeDelivery(session, seq, sub, key);
    session.wakes.touch(sub);
  }
  return held.length;
}

function taken({ info, path }: Session): EngineError {
  return new EngineError(
    "ENGINE_INSTANCE_TAKEN",
    `An instance with the id ${info.id} is registered in ${path}: give each start a new id.`,
  );
}
