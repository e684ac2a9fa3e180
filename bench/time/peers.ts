/* The peers, each as its own documentation uses it. */
import { load } from "../measure/peers.ts";
import { type Contestant, intervalOf, lineOf, nextOf } from "./work.ts";

type Callback = () => void;

/** Fires by Node's own timers. They begin at the same moments as ours: a tick says how late it is. */
const setIntervals: Contestant = {
  prepare: (_, count, tick) => () => {
    const now = Date.now();
    for (let at = 0; at < count; at++) {
      const every = intervalOf(at);
      let due = nextOf(every, now);
      setTimeout(() => {
        tick(due);
        setInterval(() => tick((due += every)), every);
      }, due - now);
    }
  },
};

interface Toad {
  readonly ToadScheduler: new () => { addSimpleIntervalJob(job: object): void };
  readonly SimpleIntervalJob: new (schedule: { milliseconds: number }, task: object) => object;
  readonly Task: new (id: string, run: Callback) => object;
}

const toadScheduler: Contestant = {
  async prepare(_, count, tick) {
    const { ToadScheduler, SimpleIntervalJob, Task } = await load<Toad>("toad-scheduler");
    const scheduler = new ToadScheduler();
    return () => {
      for (let at = 0; at < count; at++) {
        const task = new Task(`task-${at}`, () => tick());
        scheduler.addSimpleIntervalJob(new SimpleIntervalJob({ milliseconds: intervalOf(at) }, task));
      }
    };
  },
};

/** For which second a cron line ticks, as far as its job says: it is at least so late. */
function thisSecond(): number {
  return Math.floor(Date.now() / 1_000) * 1_000;
}

const croner: Contestant = {
  async prepare(_, count, tick) {
    const { Cron } = await load<{ Cron: new (line: string, options: object, run: Callback) => object }>(
      "croner",
    );
    return () => {
      for (let at = 0; at < count; at++) new Cron(lineOf(at), { timezone: "UTC" }, () => tick(thisSecond()));
    };
  },
};

const cron: Contestant = {
  async prepare(_, count, tick) {
    const { CronJob } = await load<{ CronJob: { from(options: object): object } }>("cron");
    return () => {
      for (let at = 0; at < count; at++) {
        CronJob.from({
          cronTime: lineOf(at),
          onTick: () => tick(thisSecond()),
          start: true,
          timeZone: "UTC",
        });
      }
    };
  },
};

const nodeCron: Contestant = {
  async prepare(_, count, tick) {
    const { schedule } = await load<{ schedule(line: string, run: Callback, options: object): object }>(
      "node-cron",
    );
    return () => {
      for (let at = 0; at < count; at++) schedule(lineOf(at), () => tick(thisSecond()), { timezone: "UTC" });
    };
  },
};

const nodeSchedule: Contestant = {
  async prepare(_, count, tick) {
    const { default: schedule } = await load<{
      default: { scheduleJob(rule: object, run: Callback): object };
    }>("node-schedule");
    return () => {
      for (let at = 0; at < count; at++)
        schedule.scheduleJob({ rule: lineOf(at), tz: "UTC" }, () => tick(thisSecond()));
    };
  },
};

/** Those that keep intervals, and those that keep cron lines. */
export const INTERVAL_PEERS: Readonly<Record<string, Contestant>> = {
  setInterval: setIntervals,
  "toad-scheduler": toadScheduler,
};
export const LINE_PEERS: Readonly<Record<string, Contestant>> = {
  croner,
  cron,
  "node-cron": nodeCron,
  "node-schedule": nodeSchedule,
};
