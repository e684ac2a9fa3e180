/*
 * The guide, 核心功能 1: 事件系统 (@on), `handle_user_registration`.
 *
 *   node examples/guide/events.ts
 *
 * The same on a method, which Node alone does not run (see decorators.ts):
 *
 *   class Accounts { @on(UserRegistration) async register(user: PayloadOf<typeof UserRegistration>) { … } }
 */

import { createApp, defineEvent, on } from "decorator-framework";
import { z } from "zod";

// The guide's handlers take any dictionary. Described once, the payload is typed here and checked where it comes in.
export const UserRegistration = defineEvent("user_registration", z.object({ email: z.email() }));

/** 处理用户注册事件 */
export const handleUserRegistration = on(UserRegistration).execute(
  async (userData) => `用户注册成功: ${userData.email}`,
);

if (import.meta.main) {
  const delivered = Promise.withResolvers<unknown>();
  await using app = createApp({
    engine: "memory:",
    log: "warn",
    use: [
      async (ctx, next) => {
        const result = await next();
        if (ctx.headers["source"] === "demo") delivered.resolve(result);
        return result;
      },
    ],
  });
  await app.start();

  // In this process, now: every handler's result, as `trigger_event` gave it.
  console.log("trigger:", await app.trigger(UserRegistration, { email: "alice@example.com" }));

  // Stored first, then delivered at least once: retried when it fails, kept among the dead letters when it keeps failing.
  const id = await app.publish(
    UserRegistration,
    { email: "bob@example.com" },
    { headers: { source: "demo" } },
  );
  console.log("publish:", id, "->", await delivered.promise);
}
