import { unavailable } from "./failures.ts";
import type { Arg } from "./link.ts";
import type { Job } from "./parcel.ts";
import { ADMIT, admitted, answerAll, headOf, readAnswer } from "./publish.ts";
import type { Lane } from "./tracks.ts";
import { numberText } from "./record.ts";
import { BURIAL, KEY_ORDER, OPEN, RECORDS, RENEWED, script } from "./script.ts";
import type { Session } from "./session.ts";

/*
 * What is published in a cluster, where the handlers' deliveries are on different servers. The root takes the batch in:
 * it gives the numbers, keeps the dedupe keys and the schedules, and, if the messages go to more than one place or
 * something has changed in the root, writes down what is to be stored where. Then each handler's server stores its part
 * in one step. It remembers the number of the last batch of each lane, so that a part is stored once, whoever brings it:
 * the publisher, or, if that has died, whoever sweeps. Docs: docs/decisions/0008-redis-cluster.md.
 */

/** Takes a batch in. Behind the condition: how many there are, the intent, the dedupe keys, and those that nobody gets. */
const RESERVE = script(
  RENEWED,
  RECORDS,
  BURIAL,
  ADMIT,
  `
local at = 15
for i = 1, tonumber(ARGV[14]) do
  local place_ = tonumber(ARGV[at])
  isDuplicate(place_, fmt('%013d', first + place_), ARGV[at + 1], ARGV[at + 2])
  at = at + 3
end
local known = {}
for i = 2, #answer, 2 do known[answer[i]] = true end
while ARGV[at] do
  local place_ = tonumber(ARGV[at])
  if not known[place_] then
    bury(R, ARGV[at + 1] .. fmt('%013d', first + place_) .. ARGV[at + 2], 0, 'unrouted', '')
  end
  at = at + 3
end
local receipt = table.concat(answer, ' ')
call('HSET', R .. ':b', lane, batch .. ' ' .. receipt)
if ARGV[13] ~= '' then call('HSET', R .. ':x', lane, batch .. '\\n' .. receipt .. '\\n' .. ARGV[13]) end
return receipt`,
);

/** Stores a handler's part: number, priority, moment and tail of each message. */
const DELIVER = script(
  OPEN,
  RECORDS,
  KEY_ORDER,
  `
local H, lane, batch = KEYS[1], ARGV[3], tonumber(ARGV[4])
local last = call('HGET', H .. ':in', lane)
if last and tonumber(sub(last, 1, find(last, ' ', 1, true) - 1)) >= batch then return 0 end
call('HSET', H .. ':in', lane, batch .. ' ' .. ARGV[1])
if call('EXISTS', H .. ':a') == 1 then
  for i = 5, #ARGV, 4 do add(H, ARGV[i + 1] .. ARGV[i] .. ARGV[i + 3], tonumber(ARGV[i + 2])) end
end
tell(ARGV[2])
return 1`,
);

const FINISH = script(`
local intent = redis.call('HGET', KEYS[1] .. ':x', ARGV[1])
if intent and string.sub(intent, 1, #ARGV[2] + 1) == ARGV[2] .. '\\n' then redis.call('HDEL', KEYS[1] .. ':x', ARGV[1]) end
return 1`);
const INTENTS = script("return redis.call('HGETALL', KEYS[1] .. ':x')");

/** The wait before a part that a server did not take is brought again. */
const AGAIN_MS = 500;

/** What is to be stored where. */
interface Intent {
  /** Lists of handlers, which messages share. */
  readonly routes: readonly (readonly string[])[];
  readonly messages: readonly (readonly [
    route: number,
    priority: string,
    due: number,
    tail: string,
    number?: string,
  ])[];
}

/** Brings what is published in a cluster to the handlers' servers. */
export class FanOut {
  readonly #session: Session;
  #closed = false;

  constructor(session: Session) {
    this.#session = session;
  }

  close(): void {
    this.#closed = true;
  }

  /** Stores jobs, and answers those who wait for them. */
  async store(lane: Lane, jobs: readonly Job[]): Promise<void> {
    const [condition] = jobs.map((job) => job.condition);
    let intent: Intent = { routes: [], messages: [] };
    let kept = false;
    const answer = await admitted(this.#session, lane, () => {
      intent = this.#intentOf(jobs);
      const dedupes = dedupesOf(jobs);
      const places = new Set(intent.messages.flatMap(([route]) => intent.routes[route] ?? []));
      kept = places.size > 1 || (places.size > 0 && (condition !== undefined || dedupes.length > 0));
      return {
        script: RESERVE,
        more: [
          ...headOf(condition),
          intent.messages.length,
          kept ? JSON.stringify(intent) : "",
          dedupes.length / 3,
          ...dedupes,
          ...unroutedOf(intent, condition?.kind === "revive"),
        ],
      };
    });
    if (answer !== "refused" && answer !== "gone") {
      const name = `${this.#session.instance}.${lane.name}`;
      if (kept) await this.#bringAll(jobs, name, lane.number, answer, intent);
      else await this.#bring(name, lane.number, answer, intent);
    }
    answerAll(this.#session, jobs, answer, (at) => intent.routes[intent.messages[at]?.[0] ?? 0]?.length ?? 0);
  }

  /** Stores what those who are not alive any more had begun to store. */
  async finishOthers(alive: ReadonlySet<string>): Promise<void> {
    const stored = await this.#session.root<string[]>(INTENTS);
    for (let at = 0; at < stored.length; at += 2) {
      const [name = "", text = ""] = stored.slice(at, at + 2);
      if (alive.has(name.slice(0, name.indexOf(".")))) continue;
      const [batch = "", answer = ""] = text.split("\n", 2);
      const intent = JSON.parse(text.slice(batch.length + answer.length + 2)) as Intent; // written by `store`
      await this.#bring(name, Number(batch), answer, intent);
      await this.#session.root(FINISH, name, batch);
    }
  }

  /**
   * The intent is written down, so it will be stored, come what may: the lane goes on trying. Who waits for it is told
   * when the time is up.
   */
  async #bringAll(
    jobs: readonly Job[],
    name: string,
    batch: number,
    answer: string,
    intent: Intent,
  ): Promise<void> {
    const { link } = this.#session;
    for (;;) {
      try {
        await this.#bring(name, batch, answer, intent);
        break;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const late = unavailable(link.place.location, `the messages are kept, and will be delivered: ${why}`);
        for (const { reject } of jobs) reject(late);
        if (this.#closed) throw error;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
    void this.#session.root(FINISH, name, batch).catch(() => {}); // the lane's next batch goes in its place
  }

  async #bring(name: string, batch: number, answer: string, intent: Intent): Promise<void> {
    const { keys, link } = this.#session;
    const { first, duplicates } = readAnswer(answer);
    const parts = new Map<string, Arg[]>();
    for (const [at, [route, priority, due, tail, number]] of intent.messages.entries()) {
      if (duplicates.has(at)) continue;
      for (const handler of intent.routes[route] ?? []) {
        const part = parts.get(handler) ?? [];
        parts.set(handler, part);
        part.push(number ?? numberText(first + at), priority, due, tail);
      }
    }
    const bringing = [...parts].map(([handler, part]) =>
      link.run(
        {
          script: DELIVER,
          keys: [keys.of(handler)],
          args: [this.#session.now(), keys.wakes, name, batch, ...part],
        },
        { replicas: link.place.wait },
      ),
    );
    const results = await Promise.allSettled(bringing);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  #intentOf(jobs: readonly Job[]): Intent {
    const known = new Map<readonly string[], number>();
    const routes: (readonly string[])[] = [];
    const messages: Intent["messages"][number][] = [];
    for (const { parcels, condition } of jobs) {
      for (const { event, to, priority, due, tail } of parcels) {
        const { handlers } = this.#session.catalog.route(event, to);
        let no = known.get(handlers);
        if (no === undefined) {
          known.set(handlers, (no = routes.length));
          routes.push(handlers);
        }
        if (condition?.kind === "revive") messages.push([no, priority, due, tail, condition.number]);
        else messages.push([no, priority, due, tail]);
      }
    }
    return { routes, messages };
  }
}

function dedupesOf(jobs: readonly Job[]): Arg[] {
  return jobs
    .flatMap(({ parcels }) => parcels)
    .flatMap(({ dedupe }, at) => (dedupe ? [at, dedupe.key, dedupe.until] : []));
}

function unroutedOf({ routes, messages }: Intent, revived: boolean): Arg[] {
  if (revived) return [];
  return messages.flatMap(([route, priority, , tail], at) =>
    routes[route]?.length === 0 ? [at, priority, tail] : [],
  );
}
