import type { Engine } from "./engine.ts";
import type { Operations } from "./operations.ts";
import type { PatternDispatcher } from "./patterns/pattern-dispatcher.ts";
import type { HandlerRegistry } from "./registry.ts";
import type { TimeTaskScheduler } from "./time/time-task-scheduler.ts";

/** Something that will cost time or messages, if nobody looks at it; everything survives JSON. */
export interface Problem {
  readonly kind: "pattern" | "declaration" | "subscription" | "task" | "engine";
  /** Of the handler, the subscription, the task or the engine. */
  readonly name: string;
  /** What is wrong, and what to do. */
  readonly problem: string;
  /** `file:line:column` of the declaration, if there is one. */
  readonly site?: string;
}

/** What problems are looked for in. */
interface Examined {
  readonly registry: HandlerRegistry;
  readonly patterns: PatternDispatcher;
  readonly engine: Engine;
  readonly operations: Pick<Operations, "subscriptions">;
  readonly scheduler: TimeTaskScheduler;
}

/** What is wrong with an app though it runs: in its declarations, and between them and what the engine has stored. */
export async function problemsOf(app: Examined): Promise<Problem[]> {
  const { engine } = app;
  const declared = [...patternProblems(app), ...declarationProblems(app)];
  // In an engine of this process's own there is nothing but what was declared just now.
  if (!engine.capabilities.durable && !engine.capabilities.shared) return declared;
  try {
    await engine.check();
  } catch (error) {
    return [...declared, { kind: "engine", name: engine.name, problem: (error as Error).message }]; // what check rejects with
  }
  const tasks = await taskProblems(app);
  const told = new Set(tasks.map(({ name }) => name));
  // A task has a subscription of its name: one word of it is enough.
  const subscriptions = (await subscriptionProblems(app)).filter(({ name }) => !told.has(name));
  return [...declared, ...subscriptions, ...tasks];
}

function patternProblems({ patterns }: Examined): Problem[] {
  return patterns
    .describe()
    .flatMap(({ handler, site, slow }) =>
      slow.map((problem) => ({ kind: "pattern" as const, name: handler, problem, site })),
    );
}

function declarationProblems({ registry }: Examined): Problem[] {
  return registry.unfinished().map(({ what, site, why }) => ({
    kind: "declaration",
    name: what,
    problem: `It has no effect: ${why}`,
    site,
  }));
}

async function subscriptionProblems({ operations }: Examined): Promise<Problem[]> {
  const gone = (await operations.subscriptions()).filter(({ handledHere }) => !handledHere);
  return gone.map(({ handler, ready, waiting }) => {
    const wait = ready + waiting === 1 ? "1 message waits" : `${ready + waiting} messages wait`;
    return {
      kind: "subscription",
      name: handler,
      problem: `This app has no such handler, and ${wait} for it. If no other app on this engine has it either: subscriptions remove.`,
    };
  });
}

async function taskProblems({ scheduler }: Examined): Promise<Problem[]> {
  return (await scheduler.tasks()).flatMap(({ name, site, orphaned, disagrees }): Problem[] => {
    if (orphaned) {
      const problem =
        "The engine has stored it, and this app does not declare it: it does not tick where nobody does.";
      return [{ kind: "task", name, problem }];
    }
    const problem =
      "Another replica declares it differently, and that is in force: start all replicas with the same code.";
    return disagrees ? [{ kind: "task", name, problem, ...(site !== undefined && { site }) }] : [];
  });
}
