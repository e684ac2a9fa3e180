import { type Command, InvalidArgumentError } from "commander";
import { scheduleText } from "../describe-handler.ts";
import { formatMs } from "../duration.ts";
import { type TargetOptions, withCommonOptions, withTargetOptions } from "./command-options.ts";
import { operate, type TaskRow } from "./operating.ts";
import { noRows, tableOf } from "./rows.ts";
import { ago, cell } from "../text-for-people.ts";

const MOST_TICKS = 1_000;

/** `schedules`: the timers. */
export function addSchedules(program: Command): void {
  const group = withCommonOptions(program.command("schedules"))
    .summary("look at the timers, run one now, pause and resume")
    .description(
      "Looks at the tasks that timeOn declared, and at those that only the engine knows any more. What is done to a task\n" +
        "is stored: it holds for all replicas, and survives restarts.",
    )
    .addHelpText("after", EXAMPLES);
  withTargetOptions(group.command("list"))
    .summary("list all, with the next tick and the last success")
    .usage("[options] <FILE | --url URL>")
    .argument("[words...]", "the file")
    .action(list);
  withTargetOptions(group.command("show"))
    .summary("show one: its next ticks, and its last runs with what became of them")
    .usage("[options] <FILE | --url URL> TASK")
    .argument("[words...]", "the file, and the task's name")
    .option("--ticks <COUNT>", "how many of its next ticks (default: 5)", tickCount)
    .action(show);
  withTargetOptions(group.command("run"))
    .summary("run one now, whatever its schedule says")
    .usage("[options] <FILE | --url URL> TASK")
    .argument("[words...]", "the file, and the task's name")
    .action(runNow);
  withTargetOptions(group.command("pause"))
    .summary("let one not tick until it is resumed")
    .usage("[options] <FILE | --url URL> TASK")
    .argument("[words...]", "the file, and the task's name")
    .action(pause(true));
  withTargetOptions(group.command("resume"))
    .summary("let one tick again; what it missed is not caught up with")
    .usage("[options] <FILE | --url URL> TASK")
    .argument("[words...]", "the file, and the task's name")
    .action(pause(false));
}

const EXAMPLES = `
Examples:
  decorator-framework schedules list src/app.ts
  decorator-framework schedules show src/app.ts cleanup --ticks 10
  decorator-framework schedules run --url http://localhost:8080 cleanup
  decorator-framework schedules pause src/app.ts cleanup
`;

function list(words: readonly string[], flags: TargetOptions, command: Command): Promise<void> {
  return operate(words, flags, command, { names: [] }, async ({ operating, output }) => {
    const rows = await operating.tasks();
    if (output.json) return output.data({ schedules: rows });
    if (rows.length === 0) return noRows(output, "No timers.");
    await tableOf(output, {
      task: rows.map(({ name }) => cell(name)),
      schedule: rows.map(({ definition }) => cell(scheduleText(definition))),
      scope: rows.map(({ scope }) => scope),
      next: rows.map(({ next, paused }) => (paused ? "paused" : ago(next))),
      "last tick": rows.map(({ lastTick }) => ago(lastTick)),
      "last success": rows.map(({ lastSuccess }) => ago(lastSuccess)),
      note: rows.map(noteOf),
    });
  });
}

function show(
  words: readonly string[],
  flags: TargetOptions & { readonly ticks?: number },
  command: Command,
): Promise<void> {
  return operate(
    words,
    flags,
    command,
    { names: ["TASK"] },
    async ({ operating, output, args: [task = ""] }) => {
      const detail = await operating.task(task, flags.ticks);
      if (output.json) return output.data(detail);
      const { schedule, ticks, runs } = detail;
      await tableOf(output, {
        task: [cell(schedule.name)],
        schedule: [cell(scheduleText(schedule.definition))],
        scope: [schedule.scope],
        fired: [String(schedule.fired)],
        note: [schedule.paused ? "paused" : noteOf(schedule)],
      });
      await output.line("");
      await tableOf(output, {
        "next ticks": ticks.map((tick) => new Date(tick).toISOString()),
        in: ticks.map((tick) => ago(tick)),
      });
      await output.line("");
      if (runs.length === 0) return noRows(output, "No runs are known.");
      await tableOf(output, {
        tick: runs.map(({ tick }) => new Date(tick).toISOString()),
        late: runs.map(({ tick, startedAt }) => formatMs(Math.max(0, startedAt - tick))),
        took: runs.map(({ duration }) => formatMs(duration)),
        outcome: runs.map(({ outcome }) => outcome),
        attempt: runs.map(({ attempt }) => String(attempt)),
        instance: runs.map(({ instance }) => cell(instance)),
        error: runs.map(({ error }) => cell(error ?? "")),
      });
    },
  );
}

function tickCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,4}$/.test(text) && count <= MOST_TICKS) return count;
  throw new InvalidArgumentError(`Write a whole number up to ${MOST_TICKS}.`);
}

function runNow(words: readonly string[], flags: TargetOptions, command: Command): Promise<void> {
  return operate(
    words,
    flags,
    command,
    { names: ["TASK"] },
    async ({ operating, output, args: [task = ""] }) => {
      const id = await operating.runTask(task);
      await (output.json ? output.data({ id }) : output.line(id));
    },
  );
}

function pause(paused: boolean) {
  return (words: readonly string[], flags: TargetOptions, command: Command): Promise<void> =>
    operate(words, flags, command, { names: ["TASK"] }, async ({ operating, output, args: [task = ""] }) => {
      await operating.pauseTask(task, paused);
      if (output.json) await output.data({ task, paused });
      else await output.line(`${cell(task)} ${paused ? "is paused" : "ticks again"}`);
    });
}

function noteOf({ orphaned, disagrees }: TaskRow): string {
  if (orphaned) return "not declared here";
  return disagrees ? "another replica declares it differently" : "";
}
