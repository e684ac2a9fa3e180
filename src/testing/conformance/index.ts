import type { Area } from "./area.ts";
import { claiming } from "./claim.ts";
import { Cluster, type ConformanceSetup } from "./cluster.ts";
import { deadLetters } from "./dead-letters.ts";
import { deduplicating } from "./dedupe.ts";
import { delaying } from "./delay.ts";
import { lifecycle } from "./lifecycle.ts";
import { limits } from "./limits.ts";
import { operations } from "./operations.ts";
import { ordering } from "./ordering.ts";
import { presence } from "./presence.ts";
import { publishing } from "./publish.ts";
import { releasing } from "./release.ts";
import { schedules } from "./schedules.ts";
import { settling } from "./settle.ts";
import { signals } from "./signals.ts";
import { state } from "./state.ts";
import { steps } from "./steps.ts";
import { subscribing } from "./subscriptions.ts";
import { unrouted } from "./unrouted.ts";
import { transfer } from "./transfer.ts";
import { waking } from "./wake.ts";

export type { ConformanceSetup } from "./cluster.ts";

/** What the suite needs of a test runner: vitest, jest and node:test all have it. */
export interface ConformanceRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: ((name: string, body: () => Promise<void>) => unknown) & {
    readonly skip: (name: string, body: () => Promise<void>) => unknown;
  };
  /** Not used: the suite compares by `node:assert`. */
  readonly expect?: unknown;
}

/** Options of {@link runConformance}. */
export interface ConformanceOptions {
  /** The engine's name, as the title of its tests. */
  readonly name: string;
  /** Called before each case: a new, empty store. */
  readonly create: () => Promise<ConformanceSetup>;
  readonly runner: ConformanceRunner;
  /** What the engine cannot do. Each case is named by its sentence; the reason is shown in its title and in the docs. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

/** One guarantee, and whether the engine is held to it. */
export interface ConformanceCase {
  readonly area: string;
  readonly name: string;
  /** Why it is skipped; undefined when it is not. */
  readonly skipped: string | undefined;
}

const AREAS: readonly Area[] = [
  publishing,
  subscribing,
  claiming,
  settling,
  delaying,
  ordering,
  deduplicating,
  deadLetters,
  unrouted,
  steps,
  presence,
  releasing,
  operations,
  schedules,
  limits,
  state,
  signals,
  waking,
  transfer,
  lifecycle,
];

/** Every guarantee of the suite, in order, as the docs show them. */
export const conformanceCases: readonly ConformanceCase[] = AREAS.flatMap(({ title, cases }) =>
  Object.keys(cases).map((name) => ({ area: title, name, skipped: undefined })),
);

/**
 * Registers the suite that every engine must pass: one test for each guarantee of the engine contract.
 *
 * @returns Every case, with the reason of those that are skipped.
 * @throws {TypeError} When a skip has no reason, or names a case that does not exist.
 * @example
 * runConformance({ name: "memory", create: async () => memorySetup(), runner: { describe, test } });
 */
export function runConformance({ name, create, runner, skip = [] }: ConformanceOptions): ConformanceCase[] {
  const reasons = reasonsOf(skip);
  runner.describe(`${name} engine conformance`, () => {
    for (const area of AREAS) runner.describe(area.title, () => register(area, create, runner, reasons));
  });
  return conformanceCases.map((known) => ({ ...known, skipped: reasons.get(known.name) }));
}

function register(
  { cases }: Area,
  create: () => Promise<ConformanceSetup>,
  { test }: ConformanceRunner,
  reasons: ReadonlyMap<string, string>,
): void {
  for (const [name, check] of Object.entries(cases)) {
    const body = async () => {
      const cluster = new Cluster(await create());
      try {
        await check(cluster);
      } finally {
        await cluster.end();
      }
    };
    const reason = reasons.get(name);
    if (reason === undefined) test(name, body);
    else test.skip(`${name} (skipped: ${reason})`, body);
  }
}

function reasonsOf(skip: NonNullable<ConformanceOptions["skip"]>): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const { reason, tests } of skip) {
    if (reason.trim() === "")
      throw new TypeError(`A skip of the conformance suite needs a reason: ${tests.join(", ")}`);
    for (const name of tests) {
      if (!conformanceCases.some((known) => known.name === name)) {
        throw new TypeError(`The conformance suite has no case "${name}": remove it from the skips.`);
      }
      reasons.set(name, reason);
    }
  }
  return reasons;
}
