import { LifecycleError } from "decorator-framework";
import { expect, test } from "vitest";
import { askWhenItRuns, declareWrongly, forgetToWait, returnADictionary } from "./troubleshooting.ts";

test("1. a handler may return a dictionary", async () => {
  expect(await returnADictionary()).toMatchObject({
    status: "ok",
    data: { status: "正常", uptime: 12 },
    text: '{"status":"正常","uptime":12}',
  });
});

test("2. a missing await is an error that names it", async () => {
  const refusal = await forgetToWait();
  expect(refusal).toBeInstanceOf(LifecycleError);
  expect(refusal).toMatchObject({
    code: "APP_NOT_STARTED",
    message: expect.stringContaining("await app.start()"),
  });
});

test("3. a schedule that cannot be kept is refused, with what to write", () => {
  const errors = declareWrongly();
  expect(errors).toHaveLength(4);
  for (const error of errors) {
    expect(error?.code).toMatch(/_INVALID$/);
    expect(error?.message).toContain("backup_task");
  }
});

test("3. a task that is declared says when it runs next", async () => {
  const [task, ...others] = await askWhenItRuns();
  expect(others).toEqual([]);
  expect(task).toMatchObject({ name: "backup_task", paused: false });
  expect((task?.next ?? 0) % 3_600_000).toBe(0);
});
