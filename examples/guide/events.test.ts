import { EventDispatcher, HandlersFailedError, on, PayloadError } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";
import { expect, test } from "vitest";
import { handleUserRegistration, UserRegistration } from "./events.ts";

const alice = { email: "alice@example.com" };
const greeting = "用户注册成功: alice@example.com";

test("triggering the event returns what its handler returns, by name and by description", async () => {
  const dispatcher = new EventDispatcher();
  expect(await dispatcher.trigger("user_registration", alice)).toEqual([greeting]);
  expect(await dispatcher.trigger(UserRegistration, alice)).toEqual([greeting]);
});

test("the declared function stays a function that can be called", async () => {
  expect(await handleUserRegistration(alice)).toBe(greeting);
});

test("a payload that does not fit is refused, with the place of each mistake, before any handler runs", async () => {
  await using t = await createTestApp();
  const refusal = t.trigger("user_registration", { email: "nobody" });
  await expect(refusal).rejects.toThrow(PayloadError);
  await expect(refusal).rejects.toMatchObject({ code: "PAYLOAD_INVALID", issues: [{ path: "email" }] });
});

test("a published event is stored, and its handler is run once for it", async () => {
  const results: unknown[] = [];
  await using t = await createTestApp({
    use: [async (_, next) => void results.push(await next())],
  });
  await t.publish(UserRegistration, alice);
  expect(results).toEqual([greeting]);
  expect(t.published(UserRegistration)).toEqual([alice]);
  expect(t.deadLetters).toEqual([]);
});

test("an event that nobody handles is no text that says so, but an empty list", async () => {
  expect(await new EventDispatcher().trigger("user_deleted", {})).toEqual([]);
});

test("one handler that fails does not stop the others, and their results are not lost", async () => {
  on(UserRegistration, { name: "mail", priority: -1 }).execute(() => {
    throw new Error("the mail server is down");
  });
  await using t = await createTestApp();
  try {
    const failure: unknown = await t.trigger(UserRegistration, alice).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(HandlersFailedError);
    expect(failure).toMatchObject({ results: [greeting], errors: [{ message: "the mail server is down" }] });
  } finally {
    t.app.registry.remove("mail");
  }
});
