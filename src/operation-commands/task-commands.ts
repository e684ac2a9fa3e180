import { alike } from "../alike.ts";
import { type Said, said } from "../commands/reply.ts";
import type { Context } from "../context.ts";
import type { CommandOn } from "../declare/command-on.ts";
import { scheduleText } from "../describe-handler.ts";
import { FrameworkError } from "../errors.ts";
import { OPERATE, type OperatedApp } from "./operated-app.ts";
import { textTable } from "./text-table.ts";
import { when, type Words, wordsFor } from "./words.ts";

type Task = Awaited<ReturnType<OperatedApp["scheduler"]["tasks"]>>[number];

/** The timers: a list, and run, pause, resume. */
export function declareTaskCommands(app: OperatedApp, commandOn: CommandOn): void {
  commandOn("operate.tasks", "/tasks", { ...OPERATE, description: "Lists the timers." }).execute(
    async (_, ctx) => {
      const all = await app.scheduler.tasks();
      return said(taskTable(all, wordsFor(ctx), ctx.now()), all);
    },
  );
  commandOn("operate.tasks.run", "/tasks run <task>", {
    ...OPERATE,
    description: "Runs a task now, whatever its schedule says.",
  }).execute(({ task }, ctx) =>
    about(app, task, ctx, async (words) => {
      const id = await app.scheduler.runNow(task);
      return said(words.taskRun(task, id), { task, id });
    }),
  );
  commandOn("operate.tasks.pause", "/tasks pause <task>", {
    ...OPERATE,
    description: "Lets a task not tick until it is resumed.",
  }).execute(({ task }, ctx) =>
    about(app, task, ctx, async (words) => {
      await app.scheduler.pause(task);
      return said(words.taskPaused(task), { task, paused: true });
    }),
  );
  commandOn("operate.tasks.resume", "/tasks resume <task>", {
    ...OPERATE,
    description: "Lets a task tick again.",
  }).execute(({ task }, ctx) =>
    about(app, task, ctx, async (words) => {
      await app.scheduler.resume(task);
      return said(words.taskResumed(task), { task, paused: false });
    }),
  );
}

/** Whoever names a task that is not there is told which may be meant. */
async function about(
  app: OperatedApp,
  task: string,
  ctx: Context,
  act: (words: Words) => Promise<Said>,
): Promise<Said> {
  const words = wordsFor(ctx);
  try {
    return await act(words);
  } catch (error) {
    if (!(error instanceof FrameworkError) || error.code !== "TASK_UNKNOWN") throw error;
    const names = (await app.scheduler.tasks()).map(({ name }) => name);
    return said(words.noTask(task, alike(task, names)), undefined, "invalid");
  }
}

function taskTable(all: readonly Task[], words: Words, now: number): string {
  const { names } = words;
  if (all.length === 0) return words.none("tasks");
  const columns = {
    [names.task]: all.map(({ name }) => name),
    [names.schedule]: all.map(({ definition }) => scheduleText(definition)),
    [names.next]: all.map(({ next, paused }) => (paused ? words.paused : when(words, next, now))),
    [names.lastTick]: all.map(({ lastTick }) => when(words, lastTick, now)),
    [names.lastSuccess]: all.map(({ lastSuccess }) => when(words, lastSuccess, now)),
    [names.note]: all.map((task) => noteOf(task, words)),
  };
  return textTable(columns, words.more);
}

function noteOf({ orphaned, disagrees }: Task, words: Words): string {
  if (orphaned) return words.orphaned;
  return disagrees ? words.disagrees : "";
}
