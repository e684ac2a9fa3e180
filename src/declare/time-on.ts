import { DeclarationError } from "../errors.ts";
import type { Tick, TimeOptions } from "../handler.ts";
import { defaultRegistry, type HandlerRegistry } from "../registry.ts";
import { compileSchedule } from "../time/schedule.ts";
import { builder, type HandlerBuilder, type HandlerOf } from "./builder.ts";
import { checkOptions } from "./check-options.ts";
import type { Declaration } from "./declaration.ts";

/** Declares a handler of a timer; see {@link timeOn}. */
export type TimeOn = (task: string, options: TimeOptions) => HandlerBuilder<HandlerOf<Tick>>;

/** Makes the `timeOn` of a registry. */
export function createTimeOn(registry: HandlerRegistry): TimeOn {
  const timeOn: TimeOn = (task, options) => builder(registry, declare(task, options), timeOn);
  return timeOn;
}

/**
 * Declares a handler of a timer: an interval, a cron line, or one moment.
 *
 * @param task The task's name, unique in the registry.
 * @param options One of `every`, `cron` and `at`; time zone, misfire, overlap, scope, priority, retry, …
 * @throws {DeclarationError} `SCHEDULE_INVALID` and its like; {@link DuplicateHandlerError} when the name is taken.
 * @example
 * timeOn("system_monitor", { every: "3s", priority: 1 }).execute(async () => "fine");
 * timeOn("cleanup", { cron: "0 3 * * *", timezone: "Asia/Shanghai" }).execute(async (tick) => tick.scheduled);
 */
export const timeOn: TimeOn = createTimeOn(defaultRegistry);

function declare(task: string, options: TimeOptions): Declaration {
  const what = `timeOn(${JSON.stringify(task)})`;
  if (typeof task !== "string" || task === "") {
    throw new DeclarationError(
      "TASK_NAME_INVALID",
      `${what}: give the task a name, such as timeOn("cleanup", { every: "1h" }).`,
    );
  }
  checkOptions(what, options);
  const name = options.name ?? task;
  const { timetable } = compileSchedule(name, options);
  return { what, name, fallbackName: task, record: { kind: "time", options, timetable } };
}
