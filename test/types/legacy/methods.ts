// Compiled with experimentalDecorators, as older projects are: what must compile, and behind @ts-expect-error what must not.
import {
  commandOn,
  type Context,
  createApp,
  defineEvent,
  on,
  type PayloadOf,
  reOn,
  timeOn,
} from "decorator-framework";
import { z } from "zod";

const User = defineEvent("user.registered", z.object({ id: z.string(), age: z.number() }));

export class Accounts {
  @on(User) two(user: { id: string; age: number }, ctx: Context) {
    return ctx.attempt + user.age;
  }
  @on(User, { retry: 3 }) narrow(user: PayloadOf<typeof User>) {
    return user.id;
  }
  @on(User) async none() {}
  @(on(User).execute()) long(user: { id: string }) {
    return user.id;
  }
  @on("user.*") loose(user: { id: string }) {
    return user.id;
  }
  @timeOn("cleanup", { cron: "0 3 * * *", timezone: "Asia/Shanghai" }) cleanup() {}
  @commandOn("backup", "/backup [mode:full|incremental]") backup({
    mode,
  }: {
    mode?: "full" | "incremental";
  }) {
    return mode;
  }
  @reOn("errors", "content", /ERROR (?<what>.*)/) found(match: { groups: Readonly<Record<string, string>> }) {
    return match.groups["what"];
  }
  @on(User) static shared(user: { id: string }) {
    return user.id;
  }
  // @ts-expect-error a field that the schema does not have
  @on(User) missing(user: { email: string }) {
    return user;
  }
  // @ts-expect-error a field of another type
  @on(User) wrong(user: { id: number }) {
    return user;
  }
  // @ts-expect-error handlers are methods
  @on(User) field = 1;
}

on(User).execute((user) => user.age + 1);
createApp({ handlers: [Accounts] });
