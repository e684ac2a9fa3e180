/*
 * The guide, 错误处理与重试 2: 死信队列, `handle_failed_task` and `send_to_dlq`.
 *
 *   node examples/guide/dead-letter.ts
 *
 * The queue is built in, so there is no `send_to_dlq` to write: a message whose attempts are used up, or whose handler throws
 * `Fatal`, is kept with its payload and every attempt's error. It can be looked at, replayed and discarded. Whoever
 * wants to hear of it handles the event `dead_letter`, the guide's `failed_task`.
 */

import { createApp, Fatal, on } from "decorator-framework";

interface TaskData {
  readonly task: string;
}

/** What `dead_letter` carries. */
export interface FailedTask {
  readonly id: string;
  readonly handler: string;
  readonly event: string;
  readonly reason: string;
  readonly error?: string;
  /** JSON. */
  readonly payload: string;
}

/** Stands for the thing that tasks need. */
export const disk = { full: true };

/** A task that fails while the disk is full, and at once for good when nobody knows what it is. */
on("task_requested", { retry: { attempts: 3, delay: "1s", jitter: false } }).execute(async function runTask({
  task,
}: TaskData) {
  if (task === "") throw new Fatal("任务没有名字");
  if (disk.full) throw new Error("磁盘已满");
  return `任务完成: ${task}`;
});

/** 处理失败的任务 */
on("dead_letter").execute(async function handleFailedTask(taskData: FailedTask, ctx) {
  ctx.log.error({ failed: taskData.id, by: taskData.handler }, `任务失败: ${taskData.error}`);
  return "已记录到失败队列";
});

if (import.meta.main) {
  const recorded = Promise.withResolvers<void>();
  await using app = createApp({
    engine: "memory:",
    log: "error",
    use: [
      async (ctx, next) => {
        const result = await next();
        if (ctx.event === "dead_letter") recorded.resolve();
        else console.log(result);
        return result;
      },
    ],
  });
  await app.start();
  await app.publish("task_requested", { task: "" });
  await recorded.promise;
  const { deadLetters } = app.engine;
  for (const { id, handler, reason, payload } of await deadLetters.list({}))
    console.log({ id, handler, reason, payload });
  console.log("discarded:", await deadLetters.discard({ event: "task_requested" }));
}
