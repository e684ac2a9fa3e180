import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { type Program, startCli, temporaryFolder, until } from "../cli/program-runs.ts";
import { Balancer, CutOff } from "./balancer.ts";
import { EACH_ENGINE, onEachEngine, type Store } from "./stores.ts";

/*
 * Three replicas under load behind a balancer, killed at random and restarted one after another: what a deployment does.
 *
 *   ROLLING_ROUNDS=10 SEED=7 npx vitest run test/processes/rolling.test.ts
 */

const PROGRAM = join(import.meta.dirname, "replica-program.ts");
const REPLICAS = 3;
/** Requests under way at a time. */
const LANES = 3;
/** Each round kills one replica and restarts all. */
const ROUNDS = Number(process.env["ROLLING_ROUNDS"] ?? 1);
const SEED = Number(process.env["SEED"] ?? Date.now() % 100_000);
/**
 * What a killed replica held is run elsewhere after it. Shorter than in production, since each round waits for it; long
 * enough that a replica which a busy machine lets wait is not taken for dead.
 */
const LEASE = "5s";
/** The tasks of the program, in milliseconds. */
const TASKS = { beat: 1_000, pulse: 200 };

interface Replica {
  readonly program: Program;
  readonly url: string;
}

test(
  `a rolling restart loses no event, fails no request and misses or doubles no tick, ${EACH_ENGINE} (seed ${SEED})`,
  () => onEachEngine(rollingRestart),
  60_000 + ROUNDS * 60_000,
);

async function rollingRestart({ engine, create }: Store): Promise<void> {
  const random = seededRandom(SEED);
  const journal = join(await temporaryFolder(), "journal");
  const env = {
    ENGINE_URL: await create(),
    JOURNAL: journal,
    // For the balancer to see that it is not ready; what comes after it is refused, and sent elsewhere.
    SHUTDOWN_DELAY: "1s",
    SHUTDOWN_TIMEOUT: "10s",
    LEASE,
  };
  using balancer = new Balancer();
  const load = new Load(balancer);
  const replicas = await Promise.all(Array.from({ length: REPLICAS }, () => startReplica(env)));
  for (const { url } of replicas) balancer.add(url);
  const killed: Replica[] = [];
  const restart = async (at: number, signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    const old = replicas[at] as Replica; // there are three
    if (signal === "SIGKILL") killed.push(old);
    replicas[at] = await restarted(old, signal, env, balancer);
    await load.answered(20);
  };
  load.start();
  await load.answered(50);
  for (let round = 0; round < ROUNDS; round++) {
    await restart(Math.floor(random() * REPLICAS), "SIGKILL");
    for (let at = 0; at < REPLICAS; at++) await restart(at, "SIGTERM");
  }
  await load.answered(50);
  await load.stop();
  // Who was killed in the middle of a request could not answer it; nobody else failed to.
  expect(load.failures).toEqual([]);
  expect(load.cutOff.filter(({ url }) => killed.every((each) => each.url !== url))).toEqual([]);

  // What the killed held comes when their leases have passed.
  let open: string[] = [];
  await until(
    () => ((open = openIn(linesOf(journal), load.acknowledged)).length === 0 ? true : undefined),
    () => `${engine} has handled all: ${open.slice(0, 20).join(", ")}`,
  );
  for (const { program } of replicas) program.child.kill("SIGTERM");
  for (const { program } of replicas) expect(await program.exit()).toBe(0);
  expect(doubledIn(linesOf(journal), killed)).toEqual([]);
  console.log(
    `${engine}: ${load.acknowledged.length} orders and ${load.replies} commands answered, ${load.cutOff.length} requests cut off by a kill`,
  );
}

async function startReplica(env: Readonly<Record<string, string>>): Promise<Replica> {
  const program = await startCli(["start", PROGRAM, "--port", "0"], { env });
  return { program, url: await program.url() };
}

/** Ends one replica and starts another in its place; the balancer learns of the end by itself. */
async function restarted(
  { program, url }: Replica,
  signal: "SIGTERM" | "SIGKILL",
  env: Readonly<Record<string, string>>,
  balancer: Balancer,
): Promise<Replica> {
  program.child.kill(signal);
  if (signal === "SIGTERM") expect(await program.exit()).toBe(0);
  balancer.remove(url);
  const next = await startReplica(env);
  balancer.add(next.url);
  return next;
}

/** Sends events and commands as long as it runs, each after the answer to the one before, on several lanes. */
class Load {
  readonly acknowledged: number[] = [];
  /** Answers that are not the right ones. */
  readonly failures: string[] = [];
  readonly cutOff: CutOff[] = [];
  replies = 0;
  #count = 0;
  #n = 0;
  #running = false;
  #lanes: Promise<void>[] = [];
  readonly #balancer: Balancer;

  constructor(balancer: Balancer) {
    this.#balancer = balancer;
  }

  start(): void {
    this.#running = true;
    this.#lanes = Array.from({ length: LANES }, () => this.#lane());
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#lanes);
  }

  /** Waits for so many answers more. */
  async answered(more: number): Promise<void> {
    const wanted = this.#count + more;
    await until(
      () => this.#count >= wanted || undefined,
      () => `${more} more answers; failures: ${[...this.failures, ...this.cutOff].join("\n")}`,
    );
  }

  async #lane(): Promise<void> {
    while (this.#running) {
      const n = ++this.#n;
      try {
        const { status, body } = await (n % 3 === 0
          ? this.#balancer.send("/commands", { text: `/add ${n} 1` })
          : this.#balancer.send("/events/order", { n }));
        this.#take(n, status, body);
      } catch (error) {
        if (error instanceof CutOff) this.cutOff.push(error);
        else this.failures.push(`${n}: ${String(error)}`);
      }
      this.#count++;
    }
  }

  #take(n: number, status: number, body: unknown): void {
    if (n % 3 !== 0 && status === 202) this.acknowledged.push(n);
    else if (n % 3 === 0 && status === 200 && (body as { data?: unknown }).data === n + 1) this.replies++;
    else this.failures.push(`${n}: ${status} ${JSON.stringify(body)}`);
  }
}

/** A word of the journal: an order by its number, or a task's tick by its moment. */
interface Line {
  readonly what: string;
  readonly value: number;
  readonly attempt: number;
  readonly pid: number;
}

function linesOf(journal: string): Line[] {
  const lines = readFileSync(journal, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [what = "", value, attempt, pid] = line.split(" ");
    return { what, value: Number(value), attempt: Number(attempt), pid: Number(pid) };
  });
}

/** What was acknowledged or fell due, and nobody has handled. */
function openIn(lines: readonly Line[], acknowledged: readonly number[]): string[] {
  const handled = new Set(lines.map(({ what, value }) => `${what} ${value}`));
  const orders = acknowledged.map((n) => `order ${n}`);
  const ticks = Object.entries(TASKS).flatMap(([task, every]) => {
    const moments = lines.filter(({ what }) => what === task).map(({ value }) => value);
    if (moments.length === 0) return [`${task}: all`];
    const [first, last] = [Math.min(...moments), Math.max(...moments)];
    return Array.from({ length: (last - first) / every + 1 }, (_, at) => `${task} ${first + at * every}`);
  });
  return [...orders, ...ticks].filter((name) => !handled.has(name));
}

/** What was begun again though nobody was killed who had begun it. */
function doubledIn(lines: readonly Line[], killed: readonly Replica[]): string[] {
  const dead = new Set(killed.map(({ program }) => program.child.pid));
  const last = new Map<string, Line>();
  return lines.flatMap((line) => {
    const name = `${line.what} ${line.value}`;
    const before = last.get(name);
    last.set(name, line);
    const fair = before === undefined || (dead.has(before.pid) && before.attempt < line.attempt);
    return fair
      ? []
      : [`${name}: attempt ${before.attempt} in ${before.pid}, then ${line.attempt} in ${line.pid}`];
  });
}
