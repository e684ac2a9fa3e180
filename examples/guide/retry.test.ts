import { commandOn } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";
import { beforeEach, expect, test } from "vitest";
import { database } from "./retry.ts";

interface Attempt {
  readonly second: number;
  readonly attempt: number;
  readonly ended: unknown;
}

beforeEach(() => Object.assign(database, { operations: 0, failures: 2 }));

async function setUp() {
  const attempts: Attempt[] = [];
  const start = Date.UTC(2026, 0, 1);
  const t = await createTestApp({
    now: start,
    use: [
      async (ctx, next) => {
        const note = (ended: unknown) =>
          attempts.push({ second: (ctx.now() - start) / 1_000, attempt: ctx.attempt, ended });
        try {
          const result = await next();
          note(result);
          return result;
        } catch (error) {
          note(error instanceof Error ? error.message : error);
          throw error;
        }
      },
    ],
  });
  return { t, attempts };
}

test("two failures: again after 2 s, again after 4 s more, then it is done", async () => {
  const { t, attempts } = await setUp();
  await using _ = t;
  await t.advance("70s");
  expect(attempts).toEqual([
    { second: 60, attempt: 1, ended: "the database does not answer" },
    { second: 62, attempt: 2, ended: "the database does not answer" },
    { second: 66, attempt: 3, ended: "操作成功" },
  ]);
  expect(t.deadLetters).toEqual([]);
});

test("three failures: the tick is not lost, as in the guide, but among the dead letters", async () => {
  const { t, attempts } = await setUp();
  await using _ = t;
  database.failures = 3;
  await t.advance("70s");
  expect(attempts.map(({ second }) => second)).toEqual([60, 62, 66]);
  expect(t.deadLetters).toMatchObject([
    { handler: "critical_task", reason: "exhausted", attempt: 3, error: "the database does not answer" },
  ]);
});

test("a command is retried in place, while its caller waits", async () => {
  let failures = 2;
  commandOn("flaky", "/flaky", { retry: { attempts: 3, delay: 0 } }).execute(() => {
    if (failures-- > 0) throw new Error("not yet");
    return "操作成功";
  });
  const { t } = await setUp();
  await using _ = t;
  expect(await t.handle("/flaky")).toMatchObject({ status: "ok", text: "操作成功" });
  t.app.registry.remove("flaky");
});
